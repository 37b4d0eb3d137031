#!/usr/bin/env python3
"""Writes order.ld: which functions of the program stand side by side.

The kernel maps 64 KiB around each page of code that is touched, so a function that runs alone among others
that never run costs 64 KiB. Valgrind runs the phone without a window and says which functions run: those of a
phone that starts, registers and waits stand together, and so do those that a call with Opus adds. The linker
finds them by name; what it does not find stands where it stood.

usage: build/order.py PROGRAM    a release build without the window (`make order`)
"""

import bisect
import collections
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import wave

WINDOW = 64 * 1024
LONGEST = 120  # characters of a name; what is longer begins so


def main():
    program = os.path.abspath(sys.argv[1])
    functions = Functions(program)
    with tempfile.TemporaryDirectory() as folder:
        waiting, calling = run(program, folder)
        waits = set().union(*(functions.executed(trace) for trace in waiting))
        calls = set().union(*(functions.executed(trace) for trace in calling)) - waits
    place = os.path.join(os.path.dirname(os.path.abspath(__file__)), "order.ld")
    with open(place, "w", encoding="ascii") as script:
        # Named as what it stands in front of: to valgrind other names are no code of the program.
        script.write("/* Written by build/order.py, which says why. */\nSECTIONS\n{\n  .text :\n  {\n")
        for words, executed in (("A phone that waits.", waits), ("A call.", calls)):
            script.write(f"    /* {words} */\n")
            script.writelines(f"    *({pattern})\n" for pattern in functions.patterns(executed))
        script.write("  }\n}\nINSERT AFTER .eh_frame;\n")
    print(f"{place}: {len(waits)} functions of a phone that waits, {len(calls)} more of one in a call")


class Functions:
    """The functions of a program by address."""

    def __init__(self, program):
        listed = subprocess.run(["nm", "-S", "--defined-only", program], check=True, capture_output=True, text=True)
        rows = (line.split(None, 3) for line in listed.stdout.splitlines())
        rows = (row for row in rows if len(row) == 4 and row[2] in "tTwW")
        self.all = sorted((int(row[0], 16), int(row[1], 16), row[3]) for row in rows)
        self.starts = [start for start, _, _ in self.all]
        self.name = os.path.basename(program)
        # How much a pattern takes with it.
        self.taken = collections.Counter()
        for _, size, name in self.all:
            self.taken[pattern_of(name)] += size

    def executed(self, trace):
        """The places in the list of what ran, by callgrind's file."""
        objects, ours, address, found = {}, False, 0, set()
        with open(trace, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                known = re.match(r"(c?ob)=\((\d+)\)(?: (.*))?$", line)
                if known:
                    if known[3]:
                        objects[known[2]] = os.path.basename(known[3])
                    if known[1] == "ob":
                        ours = objects[known[2]] == self.name
                    continue
                cost = re.match(r"(0x[0-9a-f]+|[+-]\d+|\*) ", line)
                if cost:
                    if cost[1].startswith("0x"):
                        address = int(cost[1], 16)
                    elif cost[1] != "*":
                        address += int(cost[1])
                    if ours:
                        found.add(bisect.bisect_right(self.starts, address) - 1)
        return {place for place in found if place >= 0}

    def patterns(self, executed):
        """The section names of functions, in order; without those that would take more along than they save."""
        ran, count = collections.Counter(), collections.Counter()
        for place in executed:
            _, size, name = self.all[place]
            ran[pattern_of(name)] += size
            count[pattern_of(name)] += 1
        worth = (name for name in ran if self.taken[name] - ran[name] < WINDOW * count[name])
        return sorted(worth)


def pattern_of(symbol):
    """A section's name without what changes from build to build: hashes, and numbers of a compiler's copies."""
    symbol = re.sub(r"\.llvm\.\d+.*$", "", symbol)
    if symbol.startswith("_ZN"):
        stem = re.sub(r"17h[0-9a-f]{16}E.*$", "17h", symbol)
        return f".text.{stem[:LONGEST]}*"
    if symbol.startswith("_R"):
        stem = re.sub(r"Cs[0-9A-Za-z]+_", "Cs*_", symbol)
        return f".text.{stem[:LONGEST]}*"
    stem = re.sub(r"\.(constprop|part|isra|cold).*$", "", symbol)
    return f".text.{stem} .text.{stem}.*"


def run(program, folder):
    """Lets the phone start twice, register, call and be called; gives callgrind's files."""
    port = free_port()
    lab = subprocess.Popen(
        [sys.executable, os.path.abspath(__file__), "--registrar", str(port)], stdout=subprocess.DEVNULL
    )
    said = os.path.join(folder, "said.wav")
    with wave.open(said, "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", ""))
        file.writeframes(bytes(os.urandom(48_000 * 2 * 2)))
    try:
        registers = ["--account", "sip:alice@127.0.0.1", "--password-env", "PW", "--registrar", f"127.0.0.1:{port}"]
        first = Phone(program, folder, "waits", registers)
        first.end_after(8)
        again = Phone(program, folder, "waits", registers)
        again.end_after(8)
        sound = ["--no-register", "--codecs", "opus", "--voice", "off", "--play", said, "--loop"]
        called = Phone(program, folder, "called", [*sound, "--auto-answer", "--record-dir", folder])
        time.sleep(6)
        calls = Phone(program, folder, "calls", [*sound, "--call", f"sip:b@127.0.0.1:{called.port}"])
        calls.end_after(30)
        called.end_after(1)
    finally:
        lab.kill()
        lab.wait()
    return [first.trace, again.trace], [called.trace, calls.trace]


class Phone:
    """A phone under callgrind."""

    def __init__(self, program, folder, home, options):
        self.port = free_port()
        home = os.path.join(folder, home)
        self.trace = f"{home}.{time.monotonic_ns()}"
        os.makedirs(home, exist_ok=True)
        valgrind = shutil.which("valgrind") or sys.exit("valgrind is not installed")
        self.process = subprocess.Popen(
            [
                *(valgrind, "--tool=callgrind", "--dump-instr=yes", f"--callgrind-out-file={self.trace}", program),
                *("headless", "--bind", f"127.0.0.1:{self.port}", "--data-dir", home, *options),
            ],
            env={**os.environ, "HOME": home, "PW": "secret"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def end_after(self, seconds):
        time.sleep(seconds)
        self.process.send_signal(signal.SIGINT)
        self.process.wait()


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def registrar(port):
    """Asks each REGISTER for a digest and takes any."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", port))
    while True:
        data, source = server.recvfrom(65_535)
        request = data.decode("utf-8", "replace")
        lines = request.split("\r\n")
        names = ("Via:", "From:", "To:", "Call-ID:", "CSeq:", "Contact:")
        copied = [line + (";tag=r" if line.startswith("To:") else "") for line in lines if line.startswith(names)]
        if any(line.startswith("Authorization:") for line in lines):
            first, more = "SIP/2.0 200 OK", "Expires: 3600"
        else:
            first = "SIP/2.0 401 Unauthorized"
            more = 'WWW-Authenticate: Digest realm="r",nonce="n",algorithm=MD5,qop="auth"'
        server.sendto("\r\n".join([first, *copied, more, "Content-Length: 0", "", ""]).encode(), source)


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--registrar":
        registrar(int(sys.argv[2]))
    elif len(sys.argv) == 2:
        main()
    else:
        sys.exit(__doc__)
