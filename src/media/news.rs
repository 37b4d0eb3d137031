//! What happened, on its way to the engine.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::base::id::CallId;
use crate::media::command::MediaEvent;
use crate::media::session::SessionEvent;
use crate::media::transport::ice::IceEvent;

/// Tells from a recorder's thread, which may wait a little for a reader that does not keep up.
pub(super) fn report_patiently(events: &mpsc::Sender<MediaEvent>, event: MediaEvent) {
    const TRIES: u32 = 100;
    const NAP: Duration = Duration::from_millis(20);
    let mut event = event;
    for _ in 0..TRIES {
        match events.try_send(event) {
            Ok(()) | Err(TrySendError::Closed(_)) => return,
            Err(TrySendError::Full(back)) => event = back,
        }
        std::thread::park_timeout(NAP);
    }
    tracing::warn!("nobody takes the media events; one of a recording is lost");
}

/// What happened in a call's session.
pub(super) fn told(call: CallId, event: SessionEvent) -> MediaEvent {
    match event {
        SessionEvent::Flowing(remote) => MediaEvent::Flowing { call, remote },
        SessionEvent::Silent { lasting } => MediaEvent::Silent { call, lasting },
        SessionEvent::Secured(suite) => MediaEvent::Secured { call, suite },
        SessionEvent::KeysFailed(failure) => MediaEvent::KeysFailed { call, failure },
        SessionEvent::Heard => MediaEvent::Heard { call },
        SessionEvent::OneWay { cause, over } => MediaEvent::OneWay { call, cause, over },
        SessionEvent::Digit((digit, duration)) => MediaEvent::Dtmf {
            call,
            digit,
            duration,
        },
    }
}

/// What happened in a call's ICE, where it concerns others.
pub(super) fn found(call: CallId, event: IceEvent) -> Option<MediaEvent> {
    match event {
        IceEvent::Gathered {
            candidates,
            problem,
        } => Some(MediaEvent::Gathered {
            call,
            candidates,
            problem,
        }),
        IceEvent::Settled(pairs) => Some(MediaEvent::Settled { call, pairs }),
        IceEvent::Failed(fault) => Some(MediaEvent::NoPath { call, fault }),
        IceEvent::Path(..) => None,
    }
}
