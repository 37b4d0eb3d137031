//! Each suite between two sides, against a hostile network, and against what others published.

use data_encoding::{BASE64, HEXLOWER};

use super::*;
use crate::base::random::{Random as _, SeededRandom};
use crate::media::rtcp;
use crate::media::rtp::RtpPacket;
use crate::sdp::{CryptoAttribute, SrtpSeed};

fn key(suite: SrtpSuite) -> SrtpKey {
    SrtpSeed::new([3; 32]).draw(suite)
}

fn pair(suite: SrtpSuite) -> (Protector, Unprotector) {
    let key = key(suite);
    (
        Protector::new(&key).unwrap(),
        Unprotector::new(&key).unwrap(),
    )
}

fn packet(ssrc: u32, sequence: u16) -> Vec<u8> {
    RtpPacket {
        marker: false,
        payload_type: 0,
        sequence,
        timestamp: u32::from(sequence) * 160,
        ssrc,
        payload: &[0x55; 160],
    }
    .write()
}

fn report(ssrc: u32) -> Vec<u8> {
    rtcp::write(ssrc, "cname", None, None, false)
}

#[test]
fn what_one_side_protects_the_other_opens_once() {
    for suite in SrtpSuite::ALL {
        let (mut ours, mut theirs) = pair(suite);
        // Over the wrap of the sequence number, with a late one.
        for sequence in [65_533, 65_535, 65_534, 0, 2, 1, 3_u16] {
            let plain = packet(7, sequence);
            let sent = ours.rtp(&plain).unwrap();
            assert_ne!(sent[12..40], plain[12..40], "{suite}: it is encrypted");
            assert_eq!(theirs.rtp(&sent).unwrap(), plain, "{suite} {sequence}");
            assert_eq!(theirs.rtp(&sent), None, "{suite}: a repeated packet");
        }
        let plain = report(7);
        let sent = ours.rtcp(&plain).unwrap();
        assert_eq!(theirs.rtcp(&sent).unwrap(), plain, "{suite}");
        assert_eq!(theirs.rtcp(&sent), None, "{suite}: a repeated report");
    }
}

#[test]
fn the_sizes_of_the_tags_are_those_of_the_suites() {
    for (suite, rtp, rtcp) in [
        (SrtpSuite::Aes128CmHmacSha1_80, 10, 14),
        (SrtpSuite::Aes128CmHmacSha1_32, 4, 14),
        (SrtpSuite::Aes256CmHmacSha1_80, 10, 14),
        (SrtpSuite::AeadAes128Gcm, 16, 20),
        (SrtpSuite::AeadAes256Gcm, 16, 20),
    ] {
        let (mut ours, _) = pair(suite);
        assert_eq!(
            ours.rtp(&packet(1, 1)).unwrap().len(),
            packet(1, 1).len() + rtp
        );
        assert_eq!(ours.rtcp(&report(1)).unwrap().len(), report(1).len() + rtcp);
    }
}

/// Extensions that are padded, or that nobody knows, were encrypted from their middle on.
#[test]
fn a_header_ends_where_its_lengths_say() {
    let payload = [0x55; 40];
    for (flags, more) in [
        (0x80, vec![]),
        (0x82, vec![1, 2, 3, 4, 5, 6, 7, 8]),
        (0x90, vec![0xbe, 0xde, 0, 1, 0x10, 0xff, 0, 0]),
        (0x90, vec![0xbe, 0xde, 0, 2, 0, 0, 0, 0x10, 0xff, 0, 0, 0]),
        (0x90, vec![0xbe, 0xde, 0, 1, 0xf3, 9, 9, 9]),
        (0x91, vec![1, 2, 3, 4, 0xab, 0xcd, 0, 1, 9, 9, 9, 9]),
        (0x90, vec![0x10, 0, 0, 0]),
    ] {
        let mut plain = vec![flags, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7];
        plain.extend(&more);
        let length = plain.len();
        plain.extend(payload);
        for suite in SrtpSuite::ALL {
            let (mut ours, mut theirs) = pair(suite);
            let sent = ours.rtp(&plain).unwrap();
            assert_eq!(sent[..length], plain[..length], "{suite} {more:02x?}");
            assert_ne!(
                sent[length..length + 8],
                payload[..8],
                "{suite} {more:02x?}"
            );
            assert_eq!(theirs.rtp(&sent).as_deref(), Some(plain.as_slice()));
        }
    }
    let (mut ours, _) = pair(SrtpSuite::Aes128CmHmacSha1_80);
    for short in [&[0x8f; 20][..], &[0x90, 0, 0, 1][..], &[0x40; 40][..]] {
        assert_eq!(ours.rtp(short), None);
    }
}

#[test]
fn a_changed_bit_anywhere_is_noticed() {
    for suite in SrtpSuite::ALL {
        let (mut ours, mut theirs) = pair(suite);
        let sent = ours.rtp(&packet(7, 100)).unwrap();
        for at in 0..sent.len() * 8 {
            let mut forged = sent.clone();
            forged[at / 8] ^= 1 << (at % 8);
            assert_eq!(theirs.rtp(&forged), None, "{suite}: bit {at}");
        }
        assert!(
            theirs.rtp(&sent).is_some(),
            "{suite}: the true one still counts"
        );
        let sent = ours.rtcp(&report(7)).unwrap();
        for at in 0..sent.len() * 8 {
            let mut forged = sent.clone();
            forged[at / 8] ^= 1 << (at % 8);
            assert_eq!(theirs.rtcp(&forged), None, "{suite}: bit {at}");
        }
        assert!(theirs.rtcp(&sent).is_some(), "{suite}");
    }
}

/// The crate below takes RTCP that says of itself that it is not encrypted without a look at its tag.
#[test]
fn reports_in_the_clear_are_not_believed() {
    for suite in SrtpSuite::ALL {
        let (_, mut theirs) = pair(suite);
        for end in [4, 14, 20] {
            let mut forged = report(7);
            forged.resize(forged.len() + end, 0);
            assert_eq!(theirs.rtcp(&forged), None, "{suite}");
        }
    }
}

/// A forged packet must not make a source that was not heard yet look old, or fill the memory.
#[test]
fn forged_packets_of_any_source_change_nothing() {
    for suite in SrtpSuite::ALL {
        let (mut ours, mut theirs) = pair(suite);
        for number in 0..2_000_u32 {
            let mut forged = packet(7 + number % 50, 40_000);
            forged.resize(forged.len() + 16, 0);
            assert_eq!(theirs.rtp(&forged), None);
            let mut forged = report(7);
            forged.extend_from_slice(&(0x8000_0000 | (number + 1_000)).to_be_bytes());
            forged.resize(forged.len() + 16, 0);
            assert_eq!(theirs.rtcp(&forged), None);
        }
        assert_eq!((theirs.rtp.known.len(), theirs.rtcp.known.len()), (0, 0));
        assert!(theirs.rtp(&ours.rtp(&packet(7, 1)).unwrap()).is_some());
        assert!(theirs.rtcp(&ours.rtcp(&report(7)).unwrap()).is_some());
        for ssrc in 100..200 {
            assert!(theirs.rtp(&ours.rtp(&packet(ssrc, 1)).unwrap()).is_some());
        }
        assert_eq!(theirs.rtp.known.len(), MAX_SOURCES);
    }
}

#[test]
fn random_octets_never_panic() {
    let mut random = SeededRandom::new(5);
    for suite in SrtpSuite::ALL {
        let (_, mut theirs) = pair(suite);
        for _ in 0..2_000 {
            let mut bytes = vec![0; usize::try_from(random.next_u64() % 80).unwrap()];
            random.fill(&mut bytes);
            if let Some(first) = bytes.first_mut() {
                *first = 0x80 | (*first & 0x3f);
            }
            assert_eq!(theirs.rtp(&bytes), None);
            assert_eq!(theirs.rtcp(&bytes), None);
        }
    }
}

#[test]
fn a_key_that_packets_name_is_taken_out() {
    let plain = key(SrtpSuite::Aes128CmHmacSha1_80);
    let line = CryptoAttribute {
        tag: 1,
        key: plain.clone(),
    };
    let named = CryptoAttribute::parse(&format!("{line}|2^31|1:4"))
        .unwrap()
        .key;
    let mut ours = Protector::new(&plain).unwrap();
    let mut theirs = Unprotector::new(&named).unwrap();
    for (sequence, mki, taken) in [(1, [0, 0, 0, 1], true), (2, [0, 0, 0, 2], false)] {
        let mut sent = ours.rtp(&packet(7, sequence)).unwrap();
        let tag = sent.len() - 10;
        sent.splice(tag..tag, mki);
        assert_eq!(theirs.rtp(&sent).is_some(), taken);
        let mut sent = ours.rtcp(&report(7)).unwrap();
        let tag = sent.len() - 10;
        sent.splice(tag..tag, mki);
        assert_eq!(theirs.rtcp(&sent).is_some(), taken);
    }
}

/// The key, the plain packet and the encrypted one are those of `srtp_validate` in libsrtp 2.
#[test]
fn a_packet_of_another_implementation_is_opened() {
    let octets = |hex: &str| HEXLOWER.decode(hex.as_bytes()).unwrap();
    let master = octets("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6");
    let line = format!(
        "1 AES_CM_128_HMAC_SHA1_80 inline:{}",
        BASE64.encode(&master)
    );
    let key = CryptoAttribute::parse(&line).unwrap().key;
    let plain = octets("800f1234decafbadcafebabeabababababababababababababababab");
    let cipher =
        octets("800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb");
    assert_eq!(Protector::new(&key).unwrap().rtp(&plain).unwrap(), cipher);
    assert_eq!(Unprotector::new(&key).unwrap().rtp(&cipher).unwrap(), plain);
}
