//! What the far end of a call wants, and somebody decides.

use std::time::Instant;

use crate::app::redirections::{first_of, shown};
use crate::base::dial_plan::DialPreview;
use crate::base::uri::Uri;
use crate::control::{RedirectionView, ReferralView};

/// One address where the far end wants to be called.
#[derive(Debug, Clone)]
pub(in crate::app) struct RedirectionTarget {
    pub(in crate::app) uri: Uri,
    pub(in crate::app) preview: DialPreview,
}

/// A 3xx that waits for a decision.
#[derive(Debug, Clone)]
pub(in crate::app) struct RedirectionQuestion {
    /// Where to, the best first; never empty.
    pub(in crate::app) targets: Vec<RedirectionTarget>,
    pub(in crate::app) status: u16,
    pub(in crate::app) caution: Option<String>,
    pub(in crate::app) asked: Instant,
}

/// A wish of the far end that waits for the agent.
#[derive(Debug, Clone)]
pub(in crate::app) struct ReferralQuestion {
    pub(in crate::app) preview: DialPreview,
    pub(in crate::app) by: String,
    pub(in crate::app) attended: bool,
    pub(in crate::app) caution: Option<String>,
    pub(in crate::app) asked: Instant,
}

impl RedirectionQuestion {
    pub(super) fn view(&self) -> RedirectionView {
        let cautions = self
            .targets
            .iter()
            .filter_map(|target| target.preview.caution.as_deref());
        RedirectionView {
            status: self.status,
            to: first_of(&self.targets).to_owned(),
            uris: (self.targets.iter())
                .map(|target| shown(&target.uri))
                .collect(),
            caution: joined(self.caution.as_deref().into_iter().chain(cautions)),
            asked: self.asked,
        }
    }
}

/// Cautions in one sentence; none when there are none.
fn joined<'t>(cautions: impl Iterator<Item = &'t str>) -> Option<String> {
    let mut all: Vec<&str> = cautions.collect();
    all.dedup();
    (!all.is_empty()).then(|| all.join("; "))
}

impl ReferralQuestion {
    pub(super) fn view(&self) -> ReferralView {
        let cautions = [self.caution.as_deref(), self.preview.caution.as_deref()];
        ReferralView {
            to: self.preview.display.clone(),
            uri: self.preview.uri.clone(),
            by: self.by.clone(),
            attended: self.attended,
            caution: joined(cautions.into_iter().flatten()),
            asked: self.asked,
        }
    }
}
