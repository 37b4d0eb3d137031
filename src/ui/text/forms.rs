//! The texts of settings and of an account's finer points.

pub(crate) const VOICEMAIL_WHY: &str =
    "What the voicemail button calls: a number or a SIP address.";
pub(crate) const MESSAGE_WAITING: &str = "Waiting messages";
pub(crate) const MESSAGE_WAITING_AUTO: &str = "Ask the server";
pub(crate) const MESSAGE_WAITING_OFF: &str = "Do not ask";
pub(crate) const MESSAGE_WAITING_WHY: &str =
    "A server that offers none is left alone. What it tells unasked is shown in any case.";

pub(crate) const CA_FILE_WHY: &str =
    "A PEM file in place of the system's authorities; a server's own certificate may stand in it.";
pub(crate) const PINNED_WHY: &str =
    "64 hexadecimal digits. Only the certificate with this SHA-256 is believed, whoever issued it.";
pub(crate) const CLIENT_CERTIFICATE_WHY: &str = "A PEM file, for servers that ask who calls.";
pub(crate) const CLIENT_KEY_WHY: &str =
    "A PEM file with the key of that certificate; keep it readable by you alone.";
pub(crate) const REGISTRAR_WHY: &str = "As example.com or example.com:5060.";
pub(crate) const PROXY_WHY: &str = "All requests go there first.";
pub(crate) const DIAL_REGION_WHY: &str =
    "Two letters, such as US or DE. The first account's counts for contacts, too.";
pub(crate) const OUTSIDE_PREFIX_WHY: &str = "Digits that a PBX wants before an outside number.";

pub(crate) const FIREWALLS: &str = "Through firewalls";
pub(crate) const ICE: &str = "Look for a way through routers and firewalls (ICE)";
pub(crate) const ICE_WHY: &str = "For calls in which one side hears nothing, as between two homes. Both phones try all their addresses, and the sound takes the shortest way that works. Phones that cannot do it are called as ever.";
pub(crate) const ICE_OFF: &str = "This is off, so the servers below are not used.";
pub(crate) const STUN: &str = "STUN server";
pub(crate) const STUN_HINT: &str = "None, or such as stun.example.com";
pub(crate) const STUN_WHY: &str = "It tells this phone how it is seen from outside. Another port than 3478 is written as stun.example.com:5000.";
pub(crate) const TURN: &str = "TURN server";
pub(crate) const TURN_HINT: &str = "None, or such as turn:relay.example.com";
pub(crate) const TURN_WHY: &str =
    "It relays the sound, over UDP, where nothing else gets through, and is a STUN server, too.";
pub(crate) const TURN_USER: &str = "TURN user";
pub(crate) const TURN_PASSWORD: &str = "TURN password";
pub(crate) const TURN_PASSWORD_WHY: &str =
    "Kept as the account's password is. Another server or user needs its own.";
pub(crate) const RELAY_ONLY: &str = "Send sound by the TURN server alone";
pub(crate) const RELAY_ONLY_WHY: &str = "The other side then learns no address of this computer. The sound takes the longer way, and a call without that server has none.";
pub(crate) const RELAY_WITHOUT_SERVER: &str =
    "Name the TURN server that all sound is to go by, or switch that off below.";

pub(crate) const EXTENSIONS: &str = "SIP extensions";
pub(crate) const SRTP: &str = "Encrypted sound (SRTP)";
pub(crate) const SRTP_OFF: &str = "Never";
pub(crate) const SRTP_OPTIONAL: &str = "Where the other side can";
pub(crate) const SRTP_REQUIRED: &str = "Always";
pub(crate) const SRTP_WHY: &str = "It is offered where the server is reached by TLS or WSS, which hides its keys, and taken everywhere. Always: no calls with phones that cannot do it.";
pub(crate) const KEYING: &str = "Keys of encrypted sound";
pub(crate) const KEYING_BOTH: &str = "Either way";
pub(crate) const KEYING_SDES: &str = "With the call (SDES)";
pub(crate) const KEYING_DTLS: &str = "By handshake (DTLS-SRTP)";
pub(crate) const KEYING_WHY: &str = "With the call, servers on the way see the keys. By handshake, only both phones know them. Either way: as the other side offers it; offered is SDES, which more servers and phones have.";
pub(crate) const RELIABLE: &str = "Acknowledged progress (100rel)";
pub(crate) const RELIABLE_OFF: &str = "Off";
pub(crate) const RELIABLE_SUPPORTED: &str = "Where the other side asks for it";
pub(crate) const RELIABLE_REQUIRED: &str = "Required";
pub(crate) const RELIABLE_WHY: &str = "Ringing and sound before the answer arrive for sure. Required: no calls with phones that cannot do it.";
pub(crate) const SESSION_TIMER: &str = "Session timer, in seconds";
pub(crate) const SESSION_TIMER_WHY: &str = "A call ends by itself when the other side has been gone for so long: 90 to 86400, usually 1800. 0 asks for none.";
pub(crate) fn session_timer_wrong(typed: &str) -> String {
    format!(
        "The session timer \"{typed}\" is not a number; write 0 for none, or a number from 90 to 86400 (1800 is usual)."
    )
}
/// The keys of the configuration file that sentences begin with, and how the window calls them.
pub(crate) const SETTING_NAMES: [(&str, &str); 8] = [
    ("session_expires", "The session timer"),
    ("websocket_path", "The WebSocket path"),
    ("pinned_certificate", "The pinned certificate"),
    (
        "client_certificate and client_key",
        "The own certificate file and the own private key file",
    ),
    ("ladder_days", "The number of days"),
    ("silence_limit_seconds", "The time of silence"),
    ("wrap_up_seconds", "The time for wrap-up"),
    ("rtp_ports", "The range of ports"),
];

pub(crate) const REGION_WHY: &str =
    "Two letters, such as US or DE. An account's own country goes first.";
pub(crate) const RECORD_DIR_WHY: &str = "One WAV file for each call.";
pub(crate) const LADDER_DAYS: &str = "Days to keep SIP messages";
pub(crate) const LADDER_DAYS_WHY: &str =
    "For finding faults, without passwords, keys and pressed digits. 0 keeps none.";
pub(crate) fn ladder_days_wrong(typed: &str) -> String {
    format!(
        "\"{typed}\" is not a number of days; write one from 0 (keep nothing) to 3650 (30 is usual)."
    )
}
pub(crate) const SILENCE_LIMIT: &str = "Seconds of silence before a call ends";
pub(crate) const SILENCE_LIMIT_WHY: &str = "When nothing is heard of the other side, nor that it is there. 10 to 3600; 0 is never. Calls on hold and calls for help go on.";
pub(crate) fn silence_limit_wrong(typed: &str) -> String {
    format!(
        "\"{typed}\" is not a number of seconds; write one from 10 to 3600 (30 is usual), or 0 for never."
    )
}
pub(crate) const NETWORK: &str = "Network";
pub(crate) const RTP_PORTS: &str = "Ports for sound";
pub(crate) const RTP_PORTS_HINT: &str = "Any, or such as 40000-40100";
pub(crate) const RTP_PORTS_WHY: &str =
    "For firewalls: UDP ports of RTP and RTCP, two for each call.";
pub(crate) const NAME_SERVERS: &str = "Name servers";
pub(crate) const NAME_SERVERS_HINT: &str = "The system's";
pub(crate) const NAME_SERVERS_WHY: &str =
    "Addresses such as 192.0.2.1 or 192.0.2.1:5353, separated by commas. Used at once.";

pub(crate) const TRANSFERS: &str = "When the other side transfers me";
pub(crate) const TRANSFERS_NEVER: &str = "refuse";
pub(crate) const TRANSFERS_ASK: &str = "ask me";
pub(crate) const TRANSFERS_ALWAYS: &str = "follow at once";
pub(crate) const TRANSFERS_WHY: &str = "Following calls the number that they name, at your cost. Costly numbers are asked first in any case.";
