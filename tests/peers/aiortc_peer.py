"""A phone made of aiortc: its PeerConnection behind just enough SIP over UDP for one call.

It calls somebody or answers the first who calls, says a WAV file and writes what it hears into
another. Commands come by standard input, a word a line: `hold`, `resume`, `hangup`. What happens
goes to standard output, a JSON object a line.
"""

import argparse
import array
import asyncio
import fractions
import json
import os
import re
import sys
import time
import traceback
import uuid
import wave

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

# Seconds between repetitions of what is not answered (RFC 3261, T1).
T1 = 0.5


def tell(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)


TASKS = set()


def begin(work):
    """Lets it run beside the rest; what goes wrong in it ends the program."""

    async def watched():
        try:
            await work
        except Exception:
            traceback.print_exc()
            os._exit(1)

    task = asyncio.ensure_future(watched())
    TASKS.add(task)
    task.add_done_callback(TASKS.discard)
    return task


class File(MediaStreamTrack):
    """A WAV file of one channel, then silence, in frames of 20 ms."""

    kind = "audio"

    def __init__(self, path):
        super().__init__()
        self.file = wave.open(path)
        self.rate = self.file.getframerate()
        self.position = 0
        self.begun = None

    async def recv(self):
        samples = self.rate // 50
        self.begun = self.begun or time.monotonic()
        due = self.begun + self.position / self.rate
        await asyncio.sleep(max(0, due - time.monotonic()))
        frame = AudioFrame(format="s16", layout="mono", samples=samples)
        said = self.file.readframes(samples)
        frame.planes[0].update(said.ljust(frame.planes[0].buffer_size, b"\0"))
        frame.pts, frame.sample_rate = self.position, self.rate
        frame.time_base = fractions.Fraction(1, self.rate)
        self.position += samples
        return frame


async def hear(track, path):
    """Writes a track into a WAV file of one channel; one without sound has no samples."""
    with wave.open(path, "wb") as file:
        file.setparams((1, 2, 48000, 0, "NONE", ""))
        try:
            while True:
                frame = await track.recv()
                channels = len(frame.layout.channels)
                if file.getnframes() == 0:
                    file.setframerate(frame.sample_rate)
                sound = bytes(frame.planes[0])[: frame.samples * channels * 2]
                file.writeframes(array.array("h", sound)[::channels].tobytes())
        except MediaStreamError:
            pass  # It ends so.


class Message:
    """A SIP message."""

    # Long messages are shortened (RFC 3261 section 7.3.3).
    COMPACT = {"v": "Via", "f": "From", "t": "To", "i": "Call-ID", "m": "Contact"}

    def __init__(self, text):
        head, _, self.body = text.partition("\r\n\r\n")
        self.first, *lines = head.split("\r\n")
        headers = [re.split(r"\s*:\s*", line, maxsplit=1) for line in lines]
        self.headers = [(self.COMPACT.get(name, name), value) for name, value in headers]

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def __getitem__(self, name):
        return self.all(name)[0]

    def answer(self, status, tag, *more, body=""):
        lines = [f"SIP/2.0 {status}"]
        lines += [f"Via: {via}" for via in self.all("Via")]
        to = self["To"] if ";tag=" in self["To"] else f"{self['To']};tag={tag}"
        lines += [f"From: {self['From']}", f"To: {to}"]
        lines += [f"Call-ID: {self['Call-ID']}", f"CSeq: {self['CSeq']}", *more]
        return written(lines, body)


def written(lines, body):
    kind = ["Content-Type: application/sdp"] if body else []
    lines = [*lines, *kind, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines) + "\r\n\r\n" + body


class Phone(asyncio.DatagramProtocol):
    """SIP of one call, and the PeerConnection that carries its sound."""

    def __init__(self, options):
        self.options = options
        self.address, port = options.bind.split(":")
        self.port = int(port)
        self.contact = f"<sip:aiortc@{options.bind}>"
        self.tag = uuid.uuid4().hex[:8]
        self.count = 0
        # What is repeated until it is answered, by CSeq; the answers to what may be repeated to us.
        self.repeated, self.answers, self.answered = {}, {}, {}
        self.ended = asyncio.Event()
        servers, policy = [], RTCIceTransportPolicy.ALL
        if options.turn:
            uri, user, password = options.turn
            servers = [RTCIceServer(uri, username=user, credential=password)]
            policy = RTCIceTransportPolicy.RELAY
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=servers, iceTransportPolicy=policy))
        self.pc.addTrack(File(options.say))
        self.sound = self.pc.getTransceivers()[0]
        codecs = RTCRtpSender.getCapabilities("audio").codecs
        mime = f"audio/{options.codec}"
        self.sound.setCodecPreferences([it for it in codecs if it.mimeType.lower() == mime])
        self.listening = None
        self.pc.on("track", self.on_track)
        self.pc.on("connectionstatechange", self.on_state)

    def on_track(self, track):
        self.listening = begin(hear(track, self.options.hear))

    def on_state(self):
        dtls = self.sound.sender.transport
        if self.pc.connectionState == "connected":
            suite = dtls._ssl.get_selected_srtp_profile().decode()
            tell("connected", dtls=dtls._role, ice=dtls.transport.role, suite=suite)
        elif self.pc.connectionState == "failed":
            tell("failed", ice=dtls.transport.state, dtls=dtls.state)

    # Descriptions.

    async def described(self):
        """Our offer or answer, as it goes out."""
        if self.pc.signalingState == "have-remote-offer":
            answer = await self.pc.createAnswer()
            if self.options.setup:
                answer.sdp = re.sub(r"a=setup:\w+", f"a=setup:{self.options.setup}", answer.sdp)
            await self.pc.setLocalDescription(answer)
        else:
            await self.pc.setLocalDescription(await self.pc.createOffer())
        text = self.pc.localDescription.sdp
        if self.options.setup:
            text = re.sub(r"a=setup:\w+", f"a=setup:{self.options.setup}", text)
        if self.options.wrong_fingerprint:
            # Another first digit, whichever it is.
            text = re.sub(
                r"(?<=a=fingerprint:)(\S+ )(\w)",
                lambda found: found[1] + f"{int(found[2], 16) ^ 1:X}",
                text,
            )
        return text

    async def take(self, kind, text):
        tell(kind, sdp=text)
        await self.pc.setRemoteDescription(RTCSessionDescription(text, kind))

    # SIP.

    def connection_made(self, transport):
        self.transport = transport

    def send(self, text):
        self.transport.sendto(text.encode(), self.far)

    async def repeat(self, key, text):
        """Sends until somebody settles it; gives what settled it."""
        settled = self.repeated[key] = asyncio.get_running_loop().create_future()
        while not settled.done():
            self.send(text)
            await asyncio.wait([settled], timeout=T1)
        return settled.result()

    def settle(self, key, message):
        settled = self.repeated.get(key)
        if settled and not settled.done():
            settled.set_result(message)

    def request(self, method, number, body=""):
        return written(
            [
                f"{method} {self.target} SIP/2.0",
                f"Via: SIP/2.0/UDP {self.options.bind};branch=z9hG4bK{uuid.uuid4().hex};rport",
                "Max-Forwards: 70",
                f"From: {self.own}",
                f"To: {self.their}",
                f"Call-ID: {self.call_id}",
                f"CSeq: {number} {method}",
                f"Contact: {self.contact}",
            ],
            body,
        )

    async def invite(self):
        """Calls, or changes the call."""
        self.count += 1
        number = self.count
        invite = self.request("INVITE", number, await self.described())
        answer = await self.repeat(f"{number} INVITE", invite)
        status = int(answer.first.split()[1])
        self.their = answer["To"]
        if status < 300:
            self.target = re.search("<(.*?)>", answer["Contact"])[1]
        ack = self.request("ACK", number)
        self.answered[answer["CSeq"]] = ack
        self.send(ack)
        if status < 300:
            await self.take("answer", answer.body)
        else:
            tell("refused", status=status)
            self.ended.set()

    async def call(self, uri):
        host, port = re.search(r"@([\d.]+):(\d+)", uri).groups()
        self.far, self.target, self.their = (host, int(port)), uri, f"<{uri}>"
        self.own, self.call_id = f"{self.contact};tag={self.tag}", uuid.uuid4().hex
        await self.invite()

    async def hang_up(self):
        self.count += 1
        await self.repeat(f"{self.count} BYE", self.request("BYE", self.count))
        self.ended.set()

    def datagram_received(self, data, far):
        message = Message(data.decode())
        if message.first.startswith("SIP/2.0"):
            if message.first.startswith("SIP/2.0 1"):
                return
            if ack := self.answered.get(message["CSeq"]):
                self.send(ack)
            self.settle(message["CSeq"], message)
            return
        self.far = far
        begin(self.handle(message))

    async def handle(self, request):
        number, method = request["CSeq"].split()
        if method == "ACK":
            self.settle(f"{number} 200", request)
        elif request["CSeq"] in self.answers:
            self.send(self.answers[request["CSeq"]])
        elif method == "INVITE":
            self.answers[request["CSeq"]] = request.answer("100 Trying", self.tag)
            self.send(self.answers[request["CSeq"]])
            to = request["To"]
            self.own = to if ";tag=" in to else f"{to};tag={self.tag}"
            self.their, self.call_id = request["From"], request["Call-ID"]
            self.target = re.search("<(.*?)>", request["Contact"])[1]
            await self.take("offer", request.body)
            body = await self.described()
            answer = request.answer("200 OK", self.tag, f"Contact: {self.contact}", body=body)
            self.answers[request["CSeq"]] = answer
            await self.repeat(f"{number} 200", answer)
        else:
            self.answers[request["CSeq"]] = request.answer("200 OK", self.tag)
            self.send(self.answers[request["CSeq"]])
            if method == "BYE":
                self.ended.set()

    async def obey(self, word):
        if word == "hangup":
            await self.hang_up()
        else:
            self.sound.direction = {"hold": "sendonly", "resume": "sendrecv"}[word]
            await self.invite()

    async def leave(self):
        report = (await self.pc.getStats()).values()
        packets = [part.packetsReceived for part in report if part.type == "inbound-rtp"]
        await self.pc.close()
        if self.listening:
            await self.listening
        tell("ended", packets=sum(packets))


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bind", required=True, metavar="ADDRESS:PORT")
    parser.add_argument("--say", required=True, metavar="WAV")
    parser.add_argument("--hear", required=True, metavar="WAV")
    parser.add_argument("--codec", default="opus", help="opus, pcmu, pcma or g722")
    parser.add_argument("--setup", help="active or passive, instead of what aiortc says")
    parser.add_argument("--wrong-fingerprint", action="store_true")
    parser.add_argument("--turn", nargs=3, metavar=("URI", "USER", "PASSWORD"), help="by it alone")
    parser.add_argument("--call", metavar="URI")
    phone = Phone(parser.parse_args())
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: phone, local_addr=(phone.address, phone.port))
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)

    async def obey_all():
        async for line in commands:
            await phone.obey(line.decode().strip())

    tell("listening")
    begin(obey_all())
    if phone.options.call:
        begin(phone.call(phone.options.call))
    await phone.ended.wait()
    await phone.leave()


asyncio.run(main())
