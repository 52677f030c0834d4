"""Hostile clients: hostile.py GUEST KVMGDB [ARG]... speaks TAP.

GUEST spins. Each test has a kvmgdb of its own, and a mark in the guest's memory by which the next client knows that
it is still the same guest.
"""
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

LIMIT = float(os.environ.get("TEST_TIMEOUT", "60"))
guest, program = sys.argv[1], sys.argv[2:]
folder = tempfile.TemporaryDirectory()
count = 0

def result(good, name):
    global count
    count += 1
    print(("ok" if good else "not ok"), count, "-", name, flush=True)


def skip(name, why):
    global count
    count += 1
    print("ok", count, "-", name, "# SKIP", why, flush=True)


def frame(body):
    if isinstance(body, str):
        body = body.encode()
    return b"$" + body + b"#%02x" % (sum(body) & 255)


BUSY = b"+" + frame("E.kvmgdb is serving another client")


class Client:
    def __init__(self, address):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.settimeout(LIMIT)
        self.socket.connect(address)
        self.buffer = b""

    def send(self, data):
        self.socket.sendall(data)

    def packet(self):
        """The next packet's body; None at the end."""
        while True:
            match = re.search(rb"\$([^#]*)#..", self.buffer)
            if match:
                self.buffer = self.buffer[match.end():]
                # Runs: a byte, '*' and how often it comes again.
                return re.sub(rb"(.)\*(.)", lambda run: run[1] * (run[2][0] - 28), match.group(1))
            data = self.socket.recv(65536)
            if not data:
                return None
            self.buffer += data

    def ask(self, body):
        self.send(frame(body))
        return self.packet()

    def start(self):
        good = self.ask("QStartNoAckMode") == b"OK"
        self.send(b"+")
        return good

    def rest(self):
        """All that comes, to the end."""
        data = self.buffer
        try:
            while True:
                more = self.socket.recv(65536)
                if not more:
                    return data
                data += more
        except ConnectionResetError:
            return data

    def close(self):
        self.socket.close()


class Server:
    def __init__(self, *options, tcp=False):
        self.path = os.path.join(folder.name, "socket")
        endpoint = "127.0.0.1:0" if tcp else "unix:" + self.path
        self.process = subprocess.Popen(program + ["--timeout=%d" % (4 * LIMIT), "--console=none", "--gdb=" + endpoint,
                                                   *options, guest], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while True:
            line = self.process.stderr.readline().decode()
            if not line:
                raise SystemExit("# kvmgdb has ended")
            match = re.search("target remote (.*)", line)
            if match:
                break
        address = match.group(1)
        self.address = (address.rsplit(":", 1)[0], int(address.rsplit(":", 1)[1])) if tcp else address

    def connect(self):
        return Client(self.address)

    def mark(self):
        """A client that has left its mark in the guest."""
        client = self.connect()
        if not client.start() or client.ask("M2000,4:12345678") != b"OK":
            raise SystemExit("# cannot write to the guest")
        return client

    def is_intact(self):
        """For the next client, once it is let in."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            client = self.connect()
            try:
                reply = client.ask("QStartNoAckMode")
            except ConnectionResetError:
                reply = None
            if reply == b"OK":
                client.send(b"+")
                good = client.ask("m2000,4") == b"12345678"
                # And it can run.
                client.send(frame("c"))
                client.send(b"\x03")
                good = good and (client.packet() or b"").startswith(b"T02")
                client.close()
                return good
            client.close()
        return False

    def is_busy(self):
        client = self.connect()
        data = client.rest()
        client.close()
        return data == BUSY

    def kilobytes(self):
        with open("/proc/%d/status" % self.process.pid) as status:
            return int(re.search(r"VmHWM:\s*(\d+)", status.read()).group(1))

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.process.pid))

    def terminate(self):
        """The exit status after SIGTERM; None: it has not ended."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = None
        self.said = self.process.stderr.read().decode()
        self.process.stderr.close()
        return status


def fill(client, data):
    """Sends until nobody takes it any more; how much was sent."""
    sent = 0
    client.socket.setblocking(False)
    while select.select([], [client.socket], [], 2)[1]:
        try:
            sent += client.socket.send(data)
        except BlockingIOError:
            pass
    client.socket.setblocking(True)
    return sent


def cut_off(name, data, running=False, tcp=False):
    """Stalls behind `data`; meanwhile others are refused, and then the guest is the next one's."""
    server = Server(tcp=tcp)
    client = server.mark()
    if running:
        client.send(frame("c"))
    client.send(data)
    result(server.is_busy(), name + ": a second client is refused")
    client.close()
    result(server.is_intact(), name + ": the guest is as it was for the next one")
    client = server.connect()
    client.send(data)
    result(server.terminate() == 143, name + ": SIGTERM ends it")
    client.close()


def never_reads(name, data, tcp=False):
    server = Server(tcp=tcp)
    client = server.mark()
    sent = fill(client, data)
    print("# %d bytes were taken" % sent)
    result(server.is_busy(), name + ": a second client is refused")
    client.close()
    result(server.is_intact(), name + ": the guest is as it was for the next one")
    client = server.mark()
    fill(client, data)
    result(server.terminate() == 143, name + ": SIGTERM ends it")
    client.close()


def no_end():
    server = Server()
    client = server.mark()
    before = server.kilobytes()
    client.send(b"$" + b"x" * (10 << 20))
    client.send(b"#00")
    reply = client.packet()
    result(reply.startswith(b"E"), "10 MB without an end: an error")
    print("#", reply.decode())
    print("# %d KiB, %d before" % (server.kilobytes(), before))
    result(server.kilobytes() - before < 4096, "10 MB without an end: no memory is taken for it")
    result(client.ask("m2000,4") == b"12345678", "10 MB without an end: and the session goes on")
    client.close()
    server.terminate()


def noise():
    server = Server()
    client = server.mark()
    client.send(bytes(range(256)).replace(b"$", b"").replace(b"\x03", b"") * 4096)
    result(client.ask("m2000,4") == b"12345678", "noise between packets")
    client.send(b"\x03" * 100000)
    result(client.ask("m2000,4") == b"12345678", "interrupts of nothing")
    client.close()
    client = server.connect()
    client.send(b"-" * 100000 + b"+" * 100000 + frame("m2000,4"))
    result(client.packet() == b"12345678", "acks of nothing")
    client.close()
    server.terminate()


def half_close(running):
    name = "half-closed while the guest " + ("runs" if running else "stands")
    server = Server()
    client = server.mark()
    if running:
        client.send(frame("c"))
    client.socket.shutdown(socket.SHUT_WR)
    client.rest()
    client.close()
    result(server.is_intact(), name)
    server.terminate()


def crowd():
    server = Server()
    client = server.mark()
    client.send(frame("c"))
    before = server.descriptors()
    refused = sum(server.is_busy() for _ in range(200))
    result(refused == 200, "200 others, one after the other, are refused while the guest runs")
    many = [server.connect() for _ in range(8)]
    result(all(other.rest() == BUSY for other in many), "and 8 at the same time")
    client.send(b"\x03")
    result(client.packet().startswith(b"T02"), "the one who was first still is served")
    # One that was refused is kept till the next one is.
    result(server.descriptors() <= before + 1, "and none of them is kept")
    client.close()
    result(server.is_intact(), "nor lost is the guest")
    server.terminate()


def strangers():
    name = "a client of another user"
    if os.geteuid() or os.environ.get("RUNNER"):
        skip(name, "only root can be one")
        return
    server = Server("--user=nobody")
    os.chmod(folder.name, 0o755)
    # Whoever can make it so can connect to it.
    os.chmod(server.path, 0o666)
    uid = 12345
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.setresuid(uid, uid, uid)
        os.write(writer, server.connect().rest())
        os._exit(0)
    os.close(writer)
    os.waitpid(pid, 0)
    data = os.read(reader, 1000)
    result(data == b"+" + frame("E.kvmgdb serves only the user who has started it"), name + " is told so")
    client = server.mark()
    result(client.ask("m2000,4") == b"12345678", "root is none")
    client.close()
    server.terminate()
    result("kvmgdb: a client of another user, %d, was refused\n" % uid in server.said, name + ": kvmgdb's user is told")


def points():
    """More than it takes, in as few writes as possible."""
    server = Server()
    client = server.mark()
    packets = b"".join(frame("Z0,%x,1" % (0x100000 + i)) for i in range(120000))
    replies, errors, sent = 0, 0, 0
    client.socket.setblocking(False)
    data = b""
    while replies < 120000:
        readable, writable, _ = select.select([client.socket], [client.socket] if sent < len(packets) else [], [], LIMIT)
        if writable:
            sent += client.socket.send(packets[sent:sent + 65536])
        if readable:
            data += client.socket.recv(1 << 20)
            found = data.split(b"#")
            for body in found[:-1]:
                errors += body.rpartition(b"$")[2].startswith(b"E")
            # The digits of a checksum that are behind the last one are no packet.
            replies += len(found) - 1
            data = found[-1]
        if not readable and not writable:
            break
    client.socket.setblocking(True)
    print("# %d of %d points were refused; %d KiB" % (errors, replies, server.kilobytes()))
    result(replies == 120000 and errors == 20000, "points have a limit")
    client.close()
    result(server.is_intact(), "and go with their client")
    server.terminate()


def keys():
    """They are kept for a guest that takes none."""
    server = Server("--machine=pc")
    client = server.mark()
    command = frame("qRcmd," + (b"key " + b"x" * 240).hex())
    refused = False
    for _ in range(6000):
        client.send(command)
        text = client.packet()
        while text != b"OK":
            refused = refused or b"no memory" in bytes.fromhex(text[1:].decode())
            text = client.packet()
        if refused:
            break
    result(refused and server.kilobytes() < 32768, "keys to be typed have a limit")
    print("# %d KiB" % server.kilobytes())
    client.close()
    server.terminate()


cut_off("in mid-packet", b"$m2000")
cut_off("in mid-packet, over TCP", b"$m2000", tcp=True)
cut_off("in mid-packet while the guest runs", b"$m2000", running=True)
cut_off("in the checksum", b"$m2000,4#1")
cut_off("in an escape", b"$X2000,1:}")
never_reads("who never reads", frame("m2000,4") + frame("qRcmd," + b"help".hex()))
never_reads("who never reads, over TCP", frame("qRcmd," + b"help".hex()), tcp=True)
no_end()
noise()
half_close(False)
half_close(True)
crowd()
points()
keys()
strangers()
print("1..%d" % count)
