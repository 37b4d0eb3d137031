"""A phone around aiortc: answers one call by SIP over UDP, and says back what it hears.

usage: aiortc.py ADDRESS PORT

It prints one line of JSON for each change: what the connection's state is, and how many frames of sound it
heard. It knows of SIP only what one call needs.
"""

import asyncio
import json
import sys

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay


def told(**what):
    print(json.dumps(what), flush=True)


class Phone(asyncio.DatagramProtocol):
    def __init__(self, address, port):
        self.address, self.port = address, port
        self.answer = None
        self.connection = None
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        told(event="listens")

    def datagram_received(self, data, source):
        head, _, body = data.decode().partition("\r\n\r\n")
        lines = head.split("\r\n")
        method = lines[0].split(" ")[0]
        if method == "INVITE" and self.connection is None:
            self.connection = RTCPeerConnection()
            self.send(lines, source, "100 Trying")
            asyncio.ensure_future(self.take(lines, source, body))
        elif method == "INVITE" and self.answer:
            self.send(lines, source, "200 OK", self.answer)
        elif method == "BYE":
            self.send(lines, source, "200 OK")
            if not self.over.done():
                self.over.set_result(None)

    async def take(self, lines, source, body):
        connection = self.connection

        @connection.on("connectionstatechange")
        def changed():
            told(event="state", state=connection.connectionState)

        @connection.on("track")
        def heard(track):
            relay = MediaRelay()
            connection.addTrack(relay.subscribe(track))
            asyncio.ensure_future(count(relay.subscribe(track)))

        await connection.setRemoteDescription(RTCSessionDescription(body, "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        self.answer = connection.localDescription.sdp
        self.send(lines, source, "200 OK", self.answer)

    def send(self, request, source, status, body=""):
        answer = [f"SIP/2.0 {status}"]
        for line in request[1:]:
            name = line.split(":")[0].strip().lower()
            if name in ("via", "v", "from", "f", "call-id", "i", "cseq", "record-route"):
                answer.append(line)
            elif name in ("to", "t"):
                tagged = "tag=" in line or status.startswith("100")
                answer.append(line if tagged else line + ";tag=aiortc")
        answer.append(f"Contact: <sip:aiortc@{self.address}:{self.port}>")
        if body:
            answer.append("Content-Type: application/sdp")
        answer.append(f"Content-Length: {len(body.encode())}")
        text = "\r\n".join(answer) + "\r\n\r\n" + body
        self.transport.sendto(text.encode(), source)


async def count(track):
    frames = 0
    try:
        while True:
            await track.recv()
            frames += 1
            if frames % 50 == 0:
                told(event="heard", frames=frames)
    except Exception:
        told(event="silent", frames=frames)


async def main():
    address, port = sys.argv[1], int(sys.argv[2])
    loop = asyncio.get_running_loop()
    _, phone = await loop.create_datagram_endpoint(
        lambda: Phone(address, port), local_addr=(address, port)
    )
    await phone.over
    await phone.connection.close()
    told(event="over")


asyncio.run(main())
