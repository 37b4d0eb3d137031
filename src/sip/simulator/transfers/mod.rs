//! Transfers (RFC 3515, 3891, 3892, 4488, 5589) by role: who asks, who is sent elsewhere, who is reached.

mod after_the_call;
mod replaced;
mod transferee;
mod transferor;

use std::time::Duration;

use super::bench::{Bench, peer};
use crate::base::uri::Uri;
use crate::sip::message::Message;
use crate::sip::{OutgoingCall, ReferralAnswer};

/// Longer than news of a transfer are waited for.
const LONG: Duration = Duration::from_secs(700);
const CAROL: &str = "sip:carol@10.0.0.203";

/// Gives the endpoint an answer to a request that it sent.
fn answer(bench: &mut Bench, request: &Message, code: u16, more: &[(&str, &str)]) -> Vec<Message> {
    bench.reply(peer(), "p1", request, code, more)
}

/// A call of no account.
fn to(target: &Uri) -> OutgoingCall<'_> {
    OutgoingCall {
        account: None,
        target,
        headers: &[],
        urgent: false,
    }
}

/// Our owner's decision on the wish to be transferred.
fn decide(bench: &mut Bench, decision: &ReferralAnswer) {
    let (now, session) = (bench.now, bench.session());
    bench
        .endpoint
        .answer_referral(now, session, decision)
        .unwrap();
}
