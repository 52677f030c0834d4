"""Runs a command on a new terminal: terminal-keys.py SCRIPT COMMAND [ARG]...

SCRIPT's lines, each of them a word and an argument:
  see TEXT     waits until TEXT has come since what was seen last
  send BYTES   types them, in Python's notation
  raw, cooked  whether the terminal passes each byte on at once, or is as it was
  kill SIGNAL  sends a signal to the command, by its name
  hangup       the terminal goes away
  stopped      waits until the command has been stopped
  end STATUS   waits for the command's end; its status, or 128 and a signal's number
Prints "ok" or "not ok" and the line for each, and then all output.
"""
import os
import pty
import select
import signal
import sys
import termios
import time

LIMIT = 30
script, command = sys.argv[1], sys.argv[2:]
tell, told = os.pipe()
ready, go = os.pipe()
leader, fd = pty.fork()
if not leader:
    # As a shell does it: a group of its own, in the foreground, with somebody above it who could let it go on.
    pid = os.fork()
    if not pid:
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.write(told, b"%d\n" % os.getpid())
        os.read(ready, 1)
        os.execvp(command[0], command)
    signal.signal(signal.SIGHUP, lambda *_: os.kill(pid, signal.SIGHUP))
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os._exit(status if status >= 0 else 128 - status)
pid = int(os.read(tell, 20))
before = termios.tcgetattr(fd)
os.write(go, b"g")
output = seen = b""


def read(seconds):
    global output, seen
    if not select.select([fd], [], [], seconds)[0]:
        return False
    try:
        data = os.read(fd, 4096)
    except OSError:
        data = b""
    output += data
    seen += data
    return bool(data)


def wait(condition):
    until = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > until:
            return False
        if not read(0.02):
            time.sleep(0.02)
    return True


def see(text):
    global seen
    text = text.encode()
    if not wait(lambda: text in seen):
        return False
    seen = seen[seen.index(text) + len(text):]
    return True


def is_raw():
    return not termios.tcgetattr(fd)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)


def is_cooked():
    return termios.tcgetattr(fd) == before


def hangup():
    global fd
    os.close(fd)
    fd = os.open("/dev/null", os.O_RDONLY)
    return True


def stopped():
    with open("/proc/%d/stat" % pid) as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] == "T"


def end(wanted):
    status = []

    def ended():
        found, value = os.waitpid(leader, os.WNOHANG)
        if found == leader:
            status.append(os.waitstatus_to_exitcode(value))
        return found == leader

    wait(ended)
    if status != [int(wanted)]:
        print("ended with", status)
    return status == [int(wanted)]


def do(word, argument):
    if word == "see":
        return see(argument)
    if word == "send":
        os.write(fd, eval("b'" + argument + "'"))
        return True
    if word == "kill":
        os.kill(pid, getattr(signal, argument))
        return True
    return {"raw": lambda: wait(is_raw), "cooked": lambda: wait(is_cooked), "hangup": hangup, "stopped": lambda: wait(stopped),
            "end": lambda: end(argument)}[word]()


good = True
with open(script) as lines:
    for line in lines:
        word, _, argument = line.strip().partition(" ")
        result = do(word, argument)
        good = good and result
        print("ok" if result else "not ok", line.strip(), flush=True)
while read(0.05):
    pass
print(output.decode(errors="replace").replace("\r", ""))
if not good:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
