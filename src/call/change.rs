//! Changes inside a call: hold and resume by either side.

use crate::call::action::{Edge, SipAction};
use crate::call::hold::Hold;
use crate::call::negotiation::Negotiation;
use crate::call::phase::Phase;
use crate::call::session::Call;
use crate::sip::{Body, EarlyMedia, Status};

impl Call {
    /// The far end wants a change; before the answer, one of the phones that ring.
    pub fn handle_reinvite(&mut self, fork: &str, offer: Option<&Body>) {
        let direction = self.hold.direction();
        let ringing_there = self.phase == Phase::Offered;
        let media = if ringing_there {
            self.forks.take(fork)
        } else {
            self.media.take()
        };
        let Some(mut media) = media else {
            self.sip(SipAction::AnswerReinvite(
                Status::new(488, "Not Acceptable Here"),
                None,
            ));
            return;
        };
        let ok = Status::new(200, "OK");
        // While the far end holds, our wish for its offer is what it would be without it.
        let answered = match offer {
            None => Ok((media.offer(direction), None)),
            Some(offer) => media
                .answer(offer, wish(self.hold))
                .map(|(answer, plan)| (answer, Some(plan))),
        };
        if ringing_there {
            self.forks.progress(fork, Some(media), EarlyMedia::Unsaid);
        } else {
            self.media = Some(media);
        }
        match answered {
            Ok((answer, plan)) => {
                self.sip(SipAction::AnswerReinvite(ok, Some(answer)));
                if let Some(plan) = plan
                    && (!ringing_there || self.forks.heard() == Some(&plan))
                {
                    self.agreed(plan);
                    self.tell_remote_hold();
                }
            }
            Err(error) => {
                let refusal = Status::new(488, "Not Acceptable Here");
                self.sip(SipAction::AnswerReinvite(refusal, None));
                self.tell(Edge::Problem(error.to_string()));
            }
        }
    }

    /// The answer to the offer that we gave in a 200 to a re-INVITE without one.
    pub fn handle_reinvite_confirmed(&mut self, body: Option<&Body>) {
        if let Some(body) = body {
            match self.take_answer(body) {
                Ok(()) => self.tell_remote_hold(),
                Err(problem) => self.tell(Edge::Problem(problem)),
            }
        }
    }

    /// Our change was answered.
    pub fn handle_reinvite_answered(&mut self, status: &Status, body: Option<&Body>) {
        self.reinviting = false;
        let announced = std::mem::take(&mut self.announcing);
        if self.phase == Phase::Ending {
            return;
        }
        let taken = match (status.code, body) {
            (200..=299, Some(body)) => self.take_answer(body),
            (200..=299, None) => Err("the far end accepted without a description".to_owned()),
            (code, _) => Err(format!("the far end refused: {code} {}", status.phrase)),
        };
        match taken {
            Ok(()) => {
                self.refused = None;
                let before = self.hold;
                // What was offered, not the plan: a far end that holds may answer a resume with
                // `inactive`, and that is its hold, not ours.
                self.hold.applied = self
                    .media
                    .as_ref()
                    .is_some_and(|media| !media.direction().receives());
                self.hold.remote = self.remote_holds();
                self.tell_hold(before);
                self.reinvite_if_needed();
            }
            Err(problem) => {
                let hold = self.hold.differs();
                self.hold.wanted = self.hold.applied;
                // A move must be told: it is offered again as soon as it may be, and the person hears
                // once why it was not taken.
                self.moved |= announced;
                if hold || self.refused.as_ref() != Some(&problem) {
                    self.tell(Edge::Problem(problem.clone()));
                }
                self.refused = Some(problem).filter(|_| announced);
            }
        }
        if !self.reinviting {
            self.go_on_with_transfer();
        }
    }

    /// Asks the far end once more for the way of the sound: a re-INVITE with what was agreed. While
    /// another change is under way, that one asks.
    pub fn renew(&mut self) {
        if self.phase == Phase::Established && !self.changing() {
            self.reinvite();
        }
    }

    /// Our change gave way to another one; the wish for it stays.
    pub fn handle_change_deferred(&mut self) {
        self.moved |= std::mem::take(&mut self.announcing);
        self.reinviting = false;
    }

    /// A change that gave way may be made now.
    pub fn handle_change_possible(&mut self) {
        self.reinvite_if_needed();
    }

    pub(super) fn tell_remote_hold(&mut self) {
        let before = self.hold;
        self.hold.remote = self.remote_holds();
        self.tell_hold(before);
    }

    /// What the agreed direction says of the far end; without one it stays as it is.
    fn remote_holds(&self) -> bool {
        let plan = self.media.as_ref().and_then(Negotiation::plan);
        plan.map_or(self.hold.remote, |plan| !plan.direction.sends())
    }

    /// Tells who holds, where that changed: both sides may, and each lets go for itself.
    fn tell_hold(&mut self, before: Hold) {
        let now = self.hold;
        if (now.applied, now.remote) == (before.applied, before.remote) {
            return;
        }
        match (now.applied, now.remote) {
            (false, false) => self.tell(Edge::Resumed),
            (true, false) => self.tell(Edge::Held { by_remote: false }),
            (false, true) => self.tell(Edge::Held { by_remote: true }),
            // The one who has just begun.
            (true, true) => self.tell(Edge::Held {
                by_remote: !before.remote,
            }),
        }
    }

    /// Whether a hold or its end, or another change of ours, is under way.
    pub(super) fn changing(&self) -> bool {
        self.reinviting || self.hold.differs()
    }

    pub(super) fn reinvite_if_needed(&mut self) {
        if self.phase != Phase::Established || self.reinviting {
            return;
        }
        if !self.hold.differs() && !self.moved {
            return;
        }
        self.reinvite();
    }

    fn reinvite(&mut self) {
        let direction = self.hold.direction();
        if let Some(media) = &mut self.media {
            let offer = media.offer(direction);
            self.reinviting = true;
            self.announcing = std::mem::take(&mut self.moved);
            self.sip(SipAction::Reinvite(offer));
        }
    }
}

/// The direction to answer an offer with: the offer itself says whether the far end holds.
fn wish(hold: Hold) -> crate::sdp::Direction {
    Hold {
        remote: false,
        ..hold
    }
    .direction()
}
