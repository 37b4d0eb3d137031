"""Two phones behind a forking proxy, with just enough SIP over UDP for one call: both ring, each is heard
before the answer under an SRTP key of its own (SDES), and the first one answers.

Each says a tone and counts the packets that it can read. The count of the first one's packets wraps while
the second one is heard, so a phone that forgets where its key stood cannot read it after the answer. What
happens goes to standard output, a JSON object a line.
"""

import argparse
import base64
import json
import math
import os
import re
import select
import socket
import struct
import time

from pylibsrtp import Error, Policy, Session

SUITE = "AES_CM_128_HMAC_SHA1_80"
# Packets of 20 ms that show that sound arrives.
ENOUGH = 25
# Seconds for which the second one is heard: more than packets under the former key are waited for.
SECOND_HEARD = 3.0
# Seconds of sound behind the answer.
TALK = 2.0


def tell(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)


def alaw(sample):
    """One sample of -32768 to 32767 (ITU-T G.711)."""
    sign = 0x80 if sample >= 0 else 0
    level = min(abs(int(sample)), 32_635)
    exponent = max(level.bit_length() - 8, 0)
    mantissa = (level >> (exponent + 3 if exponent else 4)) & 0x0F
    return (sign | exponent << 4 | mantissa) ^ 0x55


class Phone:
    """One of the two: a port, a key, a tone, and what it sends of it."""

    def __init__(self, tag, hertz, sequence):
        self.tag = tag
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.key = os.urandom(30)
        policy = Policy(key=self.key, ssrc_type=Policy.SSRC_ANY_OUTBOUND)
        self.sealing = Session(policy)
        self.sequence = sequence
        self.ssrc = int.from_bytes(os.urandom(4), "big")
        period = [0.3 * 32_767 * math.sin(2 * math.pi * hertz * n / 8_000) for n in range(8_000)]
        self.sound = bytes(alaw(sample) for sample in period)
        self.sent = 0
        self.read = 0
        self.unread = 0
        self.opening = None
        self.remote = None
        self.due = None

    def begin(self, key, remote):
        """Sends from now on; `key` is the caller's."""
        self.opening = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND))
        self.remote = remote
        self.due = time.monotonic()

    def send(self):
        """Sends what is due."""
        while self.due is not None and self.due <= time.monotonic():
            self.due += 0.02
            at = self.sent * 160 % 8_000
            head = struct.pack(
                "!BBHII", 0x80, 8, self.sequence & 0xFFFF, self.sent * 160 & 0xFFFFFFFF, self.ssrc
            )
            packet = self.sealing.protect(head + self.sound[at : at + 160])
            self.socket.sendto(packet, self.remote)
            self.sequence += 1
            self.sent += 1

    def take(self):
        packet, _ = self.socket.recvfrom(2_048)
        if not packet or 192 <= packet[1] <= 223:
            return
        try:
            self.opening.unprotect(packet)
            self.read += 1
        except Error:
            self.unread += 1

    def description(self):
        inline = base64.b64encode(self.key).decode()
        return (
            "v=0\r\n"
            "o=- 1 1 IN IP4 127.0.0.1\r\n"
            "s=-\r\n"
            "c=IN IP4 127.0.0.1\r\n"
            "t=0 0\r\n"
            f"m=audio {self.port} RTP/SAVP 8\r\n"
            "a=rtpmap:8 PCMA/8000\r\n"
            f"a=crypto:{self.line} {SUITE} inline:{inline}\r\n"
        )


# Short names of headers (RFC 3261 section 7.3.3), which long requests use.
SHORT = {"From": "f", "To": "t", "Call-ID": "i", "CSeq": "CSeq", "Via": "v"}


def headers(message, name):
    names = f"(?:{name}|{SHORT[name]})"
    return re.findall(rf"^{names}\s*:\s*(.*?)\r$", message, re.MULTILINE | re.IGNORECASE)


def header(message, name):
    return headers(message, name)[0]


class Call:
    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.port = port
        # The second one's count stays far from its end.
        self.phones = [Phone("one", 440, 40_000), Phone("two", 1_000, 100)]

    def respond(self, status, request, phone=None, body=""):
        to = header(request, "To")
        lines = [f"SIP/2.0 {status}"]
        lines += [f"Via: {via}" for via in headers(request, "Via")]
        lines.append(f"From: {header(request, 'From')}")
        lines.append(f"To: {to};tag={phone.tag}" if phone and "tag=" not in to else f"To: {to}")
        lines.append(f"Call-ID: {header(request, 'Call-ID')}")
        lines.append(f"CSeq: {header(request, 'CSeq')}")
        if phone:
            lines.append(f"Contact: <sip:{phone.tag}@127.0.0.1:{self.port}>")
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        message = "\r\n".join(lines) + "\r\n\r\n" + body
        self.socket.sendto(message.encode(), self.far_end)

    def wait(self, condition, seconds=15.0):
        """Lets sound flow both ways until the condition holds."""
        until = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > until:
                raise TimeoutError("what was awaited did not come")
            sockets = [self.socket, *(phone.socket for phone in self.phones)]
            for ready in select.select(sockets, [], [], 0.005)[0]:
                if ready is self.socket:
                    self.take()
                else:
                    next(phone for phone in self.phones if phone.socket is ready).take()
            for phone in self.phones:
                phone.send()

    def take(self):
        data, self.far_end = self.socket.recvfrom(65_535)
        message = data.decode()
        method = message.split(" ", 1)[0]
        if method in ("ACK", "BYE"):
            self.seen.add(method)
        if method == "BYE":
            self.respond("200 OK", message)

    def run(self):
        self.seen = set()
        data, self.far_end = self.socket.recvfrom(65_535)
        invite = data.decode()
        offered = re.search(rf"a=crypto:(\d+) {SUITE} inline:([A-Za-z0-9+/=]+)", invite)
        key = base64.b64decode(offered.group(2))
        port = int(re.search(r"m=audio (\d+) ", invite).group(1))
        first, second = self.phones
        self.respond("100 Trying", invite)
        for phone in self.phones:
            phone.line = offered.group(1)

        self.respond("183 Session Progress", invite, first, first.description())
        first.begin(key, ("127.0.0.1", port))
        self.wait(lambda: first.read >= ENOUGH)
        tell("first heard", read=first.read, unread=first.unread)

        self.respond("183 Session Progress", invite, second, second.description())
        second.begin(key, ("127.0.0.1", port))
        self.wait(lambda: second.read >= ENOUGH)
        until = time.monotonic() + SECOND_HEARD
        self.wait(lambda: time.monotonic() >= until)
        tell("second heard", read=second.read, unread=second.unread)
        # It wraps a fifth of a second later, unheard.
        first.sequence = 65_526
        until = time.monotonic() + 0.5
        self.wait(lambda: time.monotonic() >= until)

        before = first.read
        self.respond("200 OK", invite, first, first.description())
        self.wait(lambda: "ACK" in self.seen and first.read >= before + ENOUGH)
        second.due = None
        until = time.monotonic() + TALK
        self.wait(lambda: time.monotonic() >= until)
        tell("first answered", read=first.read - before, unread=first.unread)
        self.wait(lambda: "BYE" in self.seen)
        tell("over")


parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, required=True)
call = Call(parser.parse_args().port)
tell("listening")
call.run()
