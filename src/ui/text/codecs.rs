//! The texts of an account's codecs.

pub(crate) const CODECS: &str = "Sound of calls";
pub(crate) const CODECS_WHY: &str =
    "Calls that you place ask for these in this order; a caller's phone decides in its own.";
pub(crate) const SILENCE_SUPPRESSION: &str = "Send next to nothing while I am silent";
pub(crate) const SILENCE_SUPPRESSION_WHY: &str = "Saves half of the data. The other side then makes up a soft noise; some phones do it badly, so leave it off where data costs nothing.";
pub(crate) const PACKET_TIME: &str = "Sound in each packet";
pub(crate) const PACKET_TIME_WHY: &str = "Short packets are heard sooner and cost more data; 20 ms is what every phone can. The other side may ask for another.";

/// A length of packets.
pub(crate) fn packet_time(millis: u32) -> String {
    format!("{millis} ms")
}

/// A codec's name as people know it.
pub(crate) fn codec(name: &str) -> &str {
    described(name).map_or(name, |(known, _)| known)
}

/// The same with what it is good for.
pub(crate) fn codec_described(name: &str) -> String {
    match described(name) {
        Some((known, words)) => format!("{known} · {words}"),
        None => name.to_owned(),
    }
}

fn described(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name.to_ascii_lowercase().as_str() {
        "opus" => ("Opus", "the best sound, also over bad networks"),
        "g722" => ("G.722", "wide sound, as desk phones have it"),
        "pcmu" => ("PCMU", "telephone sound (G.711 µ-law), for North America"),
        "pcma" => ("PCMA", "telephone sound (G.711 A-law), for elsewhere"),
        _ => return None,
    })
}

pub(crate) fn raise_codec(name: &str) -> String {
    format!("Move {name} up")
}
pub(crate) fn lower_codec(name: &str) -> String {
    format!("Move {name} down")
}
pub(crate) fn remove_codec(name: &str) -> String {
    format!("Leave out {name}")
}
pub(crate) fn add_codec(name: &str) -> String {
    format!("Add {name}")
}
