//! Several calls that hear each other, with the agent among them: a conference on this machine.

use crate::media::frame::{Frame, SILENCE, mix};

/// What several say together.
#[derive(Debug, Clone)]
struct Mix(Frame);

impl Mix {
    /// Nothing yet.
    fn new() -> Self {
        Self(SILENCE)
    }

    /// Adds what one member says.
    fn add(&mut self, heard: &Frame) {
        for (sum, sample) in self.0.iter_mut().zip(heard) {
            *sum += sample;
        }
    }

    /// What is heard of all.
    fn all(&self) -> &Frame {
        &self.0
    }

    /// What a member hears: all the others, never itself.
    fn without(&self, own: &Frame) -> Frame {
        let mut others = self.0;
        for (sum, sample) in others.iter_mut().zip(own) {
            // Several loud voices at once are cut rather than passed on beyond full scale.
            *sum = (*sum - sample).clamp(-1.0, 1.0);
        }
        others
    }
}

/// One of those who are heard together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    /// What it says.
    pub(super) heard: &'a Frame,
    /// What is to be heard of its recording.
    pub(super) notice: Option<&'a Frame>,
    /// Whether it knows that it is recorded, or may be.
    pub(super) told: bool,
}

/// What a member hears of the others.
#[derive(Debug, Clone)]
pub(super) struct Others {
    /// What is sent to it.
    pub(super) sent: Frame,
    /// What of that may be in its recording, where that is less.
    pub(super) recorded: Option<Frame>,
}

/// All who are heard in this tick, be it one alone.
#[derive(Debug, Clone)]
pub(super) struct Conference {
    voices: Mix,
    /// What those say who do not know of a recording yet.
    untold: Mix,
    notices: Mix,
    members: u32,
}

impl Conference {
    /// Nobody yet.
    pub(super) fn new() -> Self {
        Self {
            voices: Mix::new(),
            untold: Mix::new(),
            notices: Mix::new(),
            members: 0,
        }
    }

    /// Adds a member.
    pub(super) fn add(&mut self, member: Member<'_>) {
        self.members += 1;
        self.voices.add(member.heard);
        if !member.told {
            self.untold.add(member.heard);
        }
        if let Some(notice) = member.notice {
            self.notices.add(notice);
        }
    }

    /// Whether there are several.
    pub(super) fn is_several(&self) -> bool {
        self.members > 1
    }

    /// What the agent hears.
    pub(super) fn all(&self) -> Frame {
        let mut all = *self.voices.all();
        mix(&mut all, self.notices.all());
        all
    }

    /// What a member hears of the others, and of their recordings, which have its voice. `consent` says
    /// whether its own recording may have the voices of those alone who know of it.
    pub(super) fn others_of(&self, member: Member<'_>, consent: bool) -> Option<Others> {
        if !self.is_several() {
            return None;
        }
        let notice = self.notices.without(member.notice.unwrap_or(&SILENCE));
        let with_notice = |mut voices: Frame| {
            mix(&mut voices, &notice);
            voices
        };
        let recorded = consent.then(|| {
            let mut told = self.voices.clone();
            for (sum, sample) in told.0.iter_mut().zip(self.untold.all()) {
                *sum -= sample;
            }
            told.without(if member.told { member.heard } else { &SILENCE })
        });
        Some(Others {
            sent: with_notice(self.voices.without(member.heard)),
            recorded: recorded.map(with_notice),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::frame::FRAME_SAMPLES;

    #[test]
    fn each_member_hears_the_others_and_nobody_himself() {
        let voices = [0.5, 0.25, -0.125].map(|level| [level; FRAME_SAMPLES]);
        let mut mix = Mix::new();
        for voice in &voices {
            mix.add(voice);
        }
        assert_eq!(*mix.all(), [0.625; FRAME_SAMPLES]);
        for (own, others) in voices.iter().zip([0.125, 0.375, 0.75]) {
            assert_eq!(mix.without(own), [others; FRAME_SAMPLES]);
        }
        let loud = [0.9; FRAME_SAMPLES];
        mix.add(&loud);
        mix.add(&loud);
        assert_eq!(mix.without(&voices[0]), [1.0; FRAME_SAMPLES]);
    }
    #[test]
    fn everybody_hears_of_a_recording_and_who_was_not_told_is_in_none() {
        let [first, second, third] = [0.5, 0.25, -0.125].map(|level| [level; FRAME_SAMPLES]);
        let tone = [0.0625; FRAME_SAMPLES];
        let member = |heard, notice, told| Member {
            heard,
            notice,
            told,
        };
        let recorded = member(&first, Some(&tone), true);
        let new = member(&second, None, false);
        let told = member(&third, None, true);
        let mut conference = Conference::new();
        conference.add(recorded);
        assert!(conference.others_of(recorded, true).is_none(), "alone");
        conference.add(new);
        conference.add(told);
        assert_eq!(conference.all(), [0.6875; FRAME_SAMPLES]);
        let hears = |member, consent| {
            let others = conference.others_of(member, consent).unwrap();
            (others.sent[0], others.recorded.map(|frame| frame[0]))
        };
        assert_eq!(hears(recorded, true), (0.125, Some(-0.125)));
        assert_eq!(hears(recorded, false), (0.125, None), "the tone is enough");
        assert_eq!(hears(new, false), (0.4375, None));
        assert_eq!(hears(new, true), (0.4375, Some(0.4375)));
        assert_eq!(hears(told, true), (0.8125, Some(0.5625)));
    }
}
