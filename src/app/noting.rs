//! What the log tells of the phone's work: that something happened, to whom it matters, and why. What people
//! say, write and press does not stand there.

use crate::control::Event;
use crate::control::event::CallContext;

/// Notes an event where somebody who looks for a fault would want it.
pub(super) fn note(event: &Event) {
    match event {
        Event::Registered { address, .. } => tracing::info!("{address} is registered"),
        Event::Registering {
            address, reason, ..
        } => tracing::info!("{address} registers again: {reason}"),
        Event::RegistrationFailed {
            address, reason, ..
        } => tracing::warn!("{address} is not registered: {reason}"),
        Event::Unregistered { address, .. } => tracing::info!("{address} is unregistered"),
        Event::Incoming { call, durable, .. } => {
            about(call, format_args!("came in, {}", kept(*durable)));
        }
        Event::Outgoing { call, durable, .. } => {
            about(call, format_args!("is placed, {}", kept(*durable)));
        }
        Event::Answered { call, .. } => about(call, format_args!("is answered")),
        Event::Ended {
            call,
            state,
            status,
            reason,
            ..
        } => about(call, format_args!("ended as {state:?}, {status}: {reason}")),
        Event::SoundFault { call, fault, over } => {
            about(
                call,
                format_args!("has a fault of its sound, over: {over}: {}", fault.text),
            );
        }
        Event::Lagged { missing } => tracing::warn!("{missing} events found no reader"),
        Event::Error { text, .. } => tracing::warn!("{text}"),
        // They tell little of a fault, or what is nobody's business.
        _ => {}
    }
}

fn about(call: &CallContext, what: std::fmt::Arguments<'_>) {
    tracing::info!("call {} {what}", call.call);
}

fn kept(durable: bool) -> &'static str {
    if durable { "kept" } else { "not kept yet" }
}
