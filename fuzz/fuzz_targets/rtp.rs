//! Datagrams of sound and of its reports never panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringdesk::media::{rtcp, rtp};

fuzz_target!(|bytes: &[u8]| {
    if rtp::is_rtcp(bytes) {
        drop(rtcp::parse(bytes));
    } else if let Some(packet) = rtp::RtpPacket::parse(bytes) {
        drop(format!("{packet:?}"));
    }
});
