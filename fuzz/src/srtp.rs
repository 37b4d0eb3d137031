//! A datagram under SRTP: what a network brings, and what it makes of what we sent.

use ringdesk::media::rtp::is_rtcp;
use ringdesk::media::transport::{Protector, Unprotector};
use ringdesk::sdp::{CryptoAttribute, SrtpKey, SrtpSeed, SrtpSuite};

/// Nothing that was not protected by the key is opened; what is protected is opened once, and nothing of
/// it with a bit changed.
pub(crate) fn check(bytes: &[u8]) {
    let Some((&choice, bytes)) = bytes.split_first() else {
        return;
    };
    let mut suites = SrtpSuite::ALL.into_iter().cycle();
    let suite = suites
        .nth(usize::from(choice) % 5)
        .expect("a circle has no end");
    let key = SrtpSeed::new([choice; 32]).draw(suite);
    let mut theirs = Unprotector::new(&key).expect("the key fits");
    assert_eq!(theirs.rtp(bytes), None);
    assert_eq!(theirs.rtcp(bytes), None);
    let mut named = Unprotector::new(&with_mki(&key)).expect("the key fits");
    assert_eq!(named.rtp(bytes), None);
    assert_eq!(named.rtcp(bytes), None);

    let mut ours = Protector::new(&key).expect("the key fits");
    let reports = is_rtcp(bytes);
    let sent = if reports {
        ours.rtcp(bytes)
    } else {
        ours.rtp(bytes)
    };
    let Some(sent) = sent else {
        return;
    };
    let mut open = |packet: &[u8]| {
        if reports {
            theirs.rtcp(packet)
        } else {
            theirs.rtp(packet)
        }
    };
    let bit = usize::from(choice) * 7 % (sent.len() * 8);
    let mut forged = sent.clone();
    let octet = forged.get_mut(bit / 8).expect("it is within");
    *octet ^= 1 << (bit % 8);
    assert_eq!(open(&forged), None, "bit {bit}");
    assert_eq!(open(&sent).as_deref(), Some(bytes));
    assert_eq!(open(&sent), None, "a repeated packet");
}

fn with_mki(key: &SrtpKey) -> SrtpKey {
    let key = key.clone();
    let line = format!("{}|1:4", CryptoAttribute { tag: 1, key });
    CryptoAttribute::parse(&line).expect("it is ours").key
}
