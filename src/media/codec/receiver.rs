//! The decoder of what is heard now, which may change from one packet to the next.

use crate::media::codec::{Decoder, Effort, Repair, opus};
use crate::media::jitter::Decode;
use crate::sdp::Codec;

/// The old sound runs into the new one over so many samples at 48 kHz: 10 ms.
const BLEND: usize = 480;

/// One stream's decoder, and the one before it until the new one is heard.
pub struct Receiver {
    current: Option<(Codec, Decoder)>,
    leaving: Option<Decoder>,
    /// The decoder of Opus while another codec is heard: an encoder that goes on from where it was
    /// is understood by a decoder alone that does so too.
    waiting: Option<Decoder>,
    /// What the old decoder goes on with, while the new one begins.
    old: [f32; BLEND],
    effort: Effort,
}

impl Default for Receiver {
    fn default() -> Self {
        Self {
            current: None,
            leaving: None,
            waiting: None,
            old: [0.0; BLEND],
            effort: Effort::default(),
        }
    }
}

impl Receiver {
    /// Another source is heard from here on: what a codec remembers of the old one is worth nothing.
    pub fn renew(&mut self) {
        if let Some((_, decoder)) = self.current.take() {
            self.leaving = Some(decoder);
        }
        self.waiting = None;
    }

    /// Begins anew behind a silence: nothing of what was heard before is heard again.
    pub fn forget(&mut self) {
        self.current = None;
        self.leaving = None;
        self.waiting = None;
    }

    /// Takes less or more of the processor from here on.
    pub fn set_effort(&mut self, effort: Effort) {
        self.effort = effort;
        if let Some((_, decoder)) = &mut self.current {
            decoder.set_effort(effort);
        }
    }

    /// The decoder of a codec; none when it cannot be made.
    fn turn_to(&mut self, codec: Codec) -> Option<&mut Decoder> {
        let known = self.current.as_ref().map(|(known, _)| *known);
        if known != Some(codec) {
            let waiting = self.waiting.take_if(|_| codec == Codec::Opus);
            match waiting.map_or_else(|| Decoder::new(codec), Ok) {
                Ok(mut decoder) => {
                    decoder.set_effort(self.effort);
                    if let Some((_, before)) = self.current.replace((codec, decoder)) {
                        self.leaving = Some(before);
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the far end's sound cannot be played");
                    return None;
                }
            }
        }
        self.current.as_mut().map(|(_, decoder)| decoder)
    }

    /// The sound before the current one is no longer heard.
    fn leave(&mut self) {
        let known = self.current.as_ref().map(|(known, _)| *known);
        self.waiting = self
            .leaving
            .take()
            .filter(|decoder| matches!(decoder, Decoder::Opus(_)) && known != Some(Codec::Opus))
            .or_else(|| self.waiting.take());
    }
}

impl Decode for Receiver {
    fn decode(&mut self, codec: Codec, payload: &[u8], output: &mut [f32]) -> bool {
        let Some(decoder) = self.turn_to(codec) else {
            return false;
        };
        if !decoder.decode(payload, output) {
            return false;
        }
        if let Some(leaving) = &mut self.leaving {
            let length = BLEND.min(output.len());
            let old = self.old.get_mut(..length).unwrap_or_default();
            leaving.conceal(old);
            for (index, (new, old)) in output.iter_mut().zip(old).enumerate() {
                let weight = (index as f32 + 1.0) / (length as f32 + 1.0);
                *new = *new * weight + *old * (1.0 - weight);
            }
            self.leave();
        }
        true
    }

    fn recover(
        &mut self,
        codec: Codec,
        next: &[u8],
        before: usize,
        output: &mut [f32],
    ) -> Option<Repair> {
        // A codec that begins has nothing to continue.
        match &mut self.current {
            Some((known, decoder)) if *known == codec => decoder.recover(next, before, output),
            Some(_) | None => None,
        }
    }

    fn reach(&mut self, codec: Codec, payload: &[u8]) -> usize {
        match &mut self.current {
            Some((known, decoder)) if *known == codec => decoder.reach(payload),
            Some(_) | None => 0,
        }
    }

    fn conceal(&mut self, output: &mut [f32]) {
        let current = self.current.as_mut().map(|(_, decoder)| decoder);
        match current.or(self.leaving.as_mut()) {
            Some(decoder) => decoder.conceal(output),
            None => output.fill(0.0),
        }
    }

    fn rest(&mut self, codec: Codec, payload: &[u8]) {
        if let Some(decoder) = self.turn_to(codec) {
            decoder.rest(payload);
        }
        // Noise fades in by itself.
        self.leave();
    }

    fn rests(&self, codec: Codec, payload: &[u8]) -> bool {
        codec == Codec::Opus && opus::rests(payload)
    }
}
