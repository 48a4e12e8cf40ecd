"""A small driver of headless Chromium: the DevTools protocol over a pipe, no library in between."""

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import time

BINARY = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"),
    *("--disable-component-update", "--disable-sync", "--mute-audio", "--hide-scrollbars", "--remote-debugging-pipe"),
)


#: What the browser needs besides a key's name to act upon it as upon a pressed one.
KEY_CODES = {"Escape": 27, "Enter": 13, "ArrowLeft": 37, "ArrowRight": 39}


class Page:
    """One page; `complaints` collects what its console, its scripts and its policy had to complain about."""

    def __init__(self, process, reading, writing):
        self._process, self._reading, self._writing = process, reading, writing
        self._bytes = b""
        self._count = 0
        self._session = None
        self._events = []
        self.complaints = []
        self.requests = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method, **params):
        """The result of one command; raises AssertionError for a refused one."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._count:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def open(self, url, *, width=1440, height=900, scheme="dark", touch=False):
        """Go there and wait until the page has loaded."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=touch)
        self.send("Emulation.setTouchEmulationEnabled", enabled=touch)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.send("Page.navigate", url="about:blank")
        self._events.clear()
        self.send("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete'")

    def run(self, script):
        """The value of a script's expression; promises are awaited."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, condition, seconds=30):
        """Wait until the expression is true."""
        until = time.monotonic() + seconds
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < until, f"never came true: {condition}"
            time.sleep(0.05)

    def press(self, key, text=None):
        """Press a key and let it go."""
        code = KEY_CODES.get(key, ord(key[0].upper()))
        names = {"key": key, "windowsVirtualKeyCode": code, **({"text": text or key} if len(key) == 1 or text else {})}
        self.send("Input.dispatchKeyEvent", type="keyDown", **names)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def click(self, selector):
        """Click in the middle of the element, as a person would."""
        box = self.run(
            f"(() => {{ const node = document.querySelector({json.dumps(selector)});"
            "node.scrollIntoView({block: 'nearest'}); const box = node.getBoundingClientRect();"
            "return [box.left + box.width / 2, box.top + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def screenshot(self, path):
        """Keep what is to be seen as a PNG."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))

    def _receive(self):
        while b"\0" not in self._bytes:
            ready, _, _ = select.select([self._reading], [], [], 60)
            assert ready, "the browser has not answered for a minute"
            piece = os.read(self._reading, 1 << 20)
            assert piece, "the browser has gone"
            self._bytes += piece
        line, self._bytes = self._bytes.split(b"\0", 1)
        message = json.loads(line)
        self._note(message)
        return message

    def _note(self, message):
        method, params = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(params["exceptionDetails"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(params)
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(params["entry"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])


@contextlib.contextmanager
def browser_page(profile):
    """A page of a browser of its own, with a profile in that folder."""
    to_browser, writing = os.pipe()
    reading, from_browser = os.pipe()

    def arrange():
        os.dup2(to_browser, 100)
        os.dup2(from_browser, 101)
        os.dup2(100, 3)
        os.dup2(101, 4)
        os.closerange(5, 256)

    process = subprocess.Popen(
        [BINARY, *OPTIONS, f"--user-data-dir={profile}"],
        close_fds=False,
        preexec_fn=arrange,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_browser)
    os.close(from_browser)
    try:
        yield Page(process, reading, writing)
    finally:
        os.close(writing)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(reading)
