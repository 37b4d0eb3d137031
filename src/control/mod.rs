//! The engine's face: commands in, snapshot and events out, pages of rows on request.

pub mod colleague;
pub mod command;
pub mod event;
pub mod handle;
pub mod ladder;
pub mod media_security;
pub mod page;
pub mod player;
pub mod provisioning;
pub mod record_change;
pub mod snapshot;
pub mod sound_check;
pub mod support;
pub mod trial;
pub mod work_page;

pub use colleague::{ColleagueState, ColleagueView, MailboxView, MessageCount, PickupTarget};
pub use command::{Asker, CallTarget, Command, FiguresTable, Rule, TransferTo, Wish, WrapUpWish};
pub use event::{Event, ReferralDecision};
pub use handle::Handle;
pub use media_security::{KeyOrigin, MediaSecurity};
pub use page::{Page, PageRequest};
pub use player::*;
pub use provisioning::ProvisioningView;
pub use record_change::RecordChange;
pub use snapshot::*;
pub use sound_check::*;
pub use support::{SupportBundle, SupportFile};
pub use trial::{Reached, TrialOutcome, TrialStep, TrialView};
pub use work_page::{PopupQuestion, WorkPage, WorkRequest};
