"""An API server in memory, over real HTTP: versions and conflicts, generations, finalizers, the status subresource,
watches that end and versions that expire, the CRD's own rules, and RBAC for the rules that the chart ships."""

import asyncio
import contextlib
import datetime
import json
import uuid
from collections import Counter

import yaml
from aiohttp import web
from crd_rules import CRD_FOLDER, complaints, defaulted

RULES = yaml.safe_load((CRD_FOLDER / "rbac-rules.yaml").read_text())
GONE = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}


def merged(target, patch):
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = merged(target.get(name), value)
    return target


class Refusal(Exception):
    def __init__(self, code, reason, message, causes=()):
        super().__init__(message)
        self.code = code
        details = {"causes": [{"field": field, "message": text} for field, text in causes]}
        self.body = {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}


class ApiServer:
    """`asked` counts (verb, resource) of all calls; `log` has every status that was written, with its time.

    Knobs: `is_down` answers 503 and cuts watches; `conflicts` lets as many patches fail; `forget()` expires versions.
    """

    def __init__(self, rules=RULES):
        self.rules = rules
        self.objects = {}
        self.version = 100
        self.forgotten = 0
        self.changes = []
        self.changed = asyncio.Condition()
        self.asked = Counter()
        self.asked_by_account = Counter()
        self.log = []
        self.is_down = False
        self.conflicts = 0
        self.cut = asyncio.Event()

    async def start(self):
        app = web.Application()
        for prefix in ("/api/{version}", "/apis/{group}/{version}"):
            app.router.add_route("*", prefix + "/namespaces/{namespace}/{plural}", self._handle)
            app.router.add_route("*", prefix + "/namespaces/{namespace}/{plural}/{name}", self._handle)
            app.router.add_route("*", prefix + "/namespaces/{namespace}/{plural}/{name}/{sub}", self._handle)
            app.router.add_route("*", prefix + "/{plural}", self._handle)
        self.runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
        return self

    async def stop(self):
        await self.cut_watches()
        await self.runner.cleanup()

    async def cut_watches(self):
        self.cut.set()
        async with self.changed:
            self.changed.notify_all()
        await asyncio.sleep(0)
        self.cut = asyncio.Event()

    async def forget(self):
        """Versions up to now are compacted away, and watches end."""
        self.version += 1
        self.forgotten = self.version
        self.changes = [change for change in self.changes if change[0] > self.forgotten]
        await self.cut_watches()

    def all(self, plural):
        return [body for (kind, *_), body in self.objects.items() if kind == plural]

    def get(self, name, namespace="films", plural="moviedatasets"):
        return self.objects.get((plural, namespace, name))

    async def tear_out(self, name, namespace="films", plural="moviedatasets"):
        """Remove an object at once, whatever its finalizers say."""
        key = (plural, namespace, name)
        meta = self.objects[key]["metadata"] | {"finalizers": [], "deletionTimestamp": "now"}
        await self._write(key, self.objects[key] | {"metadata": meta}, "DELETED")

    # ---- calls ----

    async def _handle(self, request):
        if self.is_down:
            return web.json_response({"code": 503, "message": "down"}, status=503)
        where = request.match_info
        plural, name, sub = where["plural"], where.get("name", ""), where.get("sub", "")
        is_watch = request.query.get("watch") == "true"
        verb = {
            "GET": "watch" if is_watch else "get" if name else "list",
            "POST": "create",
            "PUT": "update",
            "PATCH": "patch",
            "DELETE": "delete",
        }[request.method]
        resource = f"{plural}/{sub}" if sub else plural
        self.asked[verb, resource] += 1
        try:
            if "Impersonate-User" in request.headers:
                self._authorize(verb, where.get("group", ""), resource)
                self.asked_by_account[verb, resource] += 1
            if is_watch:
                with contextlib.suppress(ConnectionResetError):  # the watcher has gone
                    return await self._watch(request, plural, where.get("namespace"))
                return web.Response()
            key = (plural, where.get("namespace"), name)
            body = await request.json() if request.can_read_body else None
            return web.json_response(await getattr(self, f"_{verb}")(key, body, sub, request.query))
        except Refusal as refusal:
            return web.json_response(refusal.body, status=refusal.code)

    def _authorize(self, verb, group, resource):
        if not any(
            group in rule["apiGroups"] and resource in rule["resources"] and verb in rule["verbs"]
            for rule in self.rules
        ):
            raise Refusal(403, "Forbidden", f"cannot {verb} {resource} in {group or 'the core group'}")

    async def _list(self, key, body, sub, query):
        found = [one for one in self.all(key[0]) if _is_meant(one, key[1], query.get("labelSelector", ""))]
        start = int(query.get("continue", 0))
        limit = (
            min(int(query["limit"]), 2) if "limit" in query else len(found)
        )  # small pages, so that paging is at work
        token = str(start + limit) if start + limit < len(found) else ""
        meta = {"resourceVersion": str(self.version), "continue": token}
        return {"metadata": meta, "items": found[start : start + limit]}

    async def _get(self, key, body, sub, query):
        return self._present(key)

    async def _create(self, key, body, sub, query):
        meta = body["metadata"]
        key = (key[0], key[1], meta["name"])
        if key in self.objects:
            raise Refusal(409, "AlreadyExists", f"{key[0]} {key[2]} already exists")
        born = {
            "namespace": key[1],
            "uid": str(uuid.uuid4()),
            "generation": 1,
            "creationTimestamp": datetime.datetime.now(datetime.UTC).isoformat(),
        }
        body = {name: value for name, value in body.items() if name != "status"} | {"metadata": meta | born}
        return await self._write(key, self._checked(key, body, None), "ADDED")

    async def _update(self, key, body, sub, query):
        old = self._present(key)
        if body["metadata"].get("resourceVersion") != old["metadata"]["resourceVersion"]:
            raise Refusal(409, "Conflict", "the object has been modified")
        return await self._write(key, body, "MODIFIED")

    async def _patch(self, key, body, sub, query):
        old = self._present(key)
        version = body.get("metadata", {}).get("resourceVersion")
        if self.conflicts or (version and version != old["metadata"]["resourceVersion"]):
            self.conflicts = max(0, self.conflicts - 1)
            raise Refusal(409, "Conflict", "the object has been modified")
        patched = merged(old, body)
        if sub == "status":
            new = old | {"status": patched.get("status", {})}
            self.log.append((asyncio.get_running_loop().time(), key[2], new["status"]))
        else:
            new = {name: value for name, value in patched.items() if name != "status"}
            new |= {"status": old["status"]} if "status" in old else {}
        new = self._checked(key, new, old)
        if new.get("spec") != old.get("spec"):
            new["metadata"] = new["metadata"] | {"generation": old["metadata"]["generation"] + 1}
        return await self._write(key, new, "MODIFIED")

    async def _delete(self, key, body, sub, query):
        old = self._present(key)
        if old["metadata"].get("deletionTimestamp"):
            return old
        stamp = datetime.datetime.now(datetime.UTC).isoformat()
        return await self._write(key, old | {"metadata": old["metadata"] | {"deletionTimestamp": stamp}}, "MODIFIED")

    def _present(self, key):
        if key not in self.objects:
            raise Refusal(404, "NotFound", f"{key[0]} {key[2]} not found")
        return self.objects[key]

    def _checked(self, key, body, old):
        if key[0] != "moviedatasets":
            return body
        body = body | {"spec": defaulted(body)["spec"]} if "spec" in body else body
        found = complaints(body, old)
        if found:
            text = "; ".join(f"{field}: {message}" for field, message in found)
            raise Refusal(422, "Invalid", f"{key[2]} is invalid: {text}", found)
        return body

    async def _write(self, key, body, kind):
        self.version += 1
        body = json.loads(json.dumps(body | {"metadata": body["metadata"] | {"resourceVersion": str(self.version)}}))
        meta = body["metadata"]
        if meta.get("deletionTimestamp") and not meta.get("finalizers"):
            self.objects.pop(key, None)
            kind = "DELETED"
        else:
            self.objects[key] = body
        self.changes.append((self.version, key, kind, body))
        async with self.changed:
            self.changed.notify_all()
        return body

    # ---- watches ----

    async def _watch(self, request, plural, namespace):
        cut = self.cut
        seen = int(request.query["resourceVersion"])
        response = web.StreamResponse()
        await response.prepare(request)
        if seen < self.forgotten:
            await _send(response, "ERROR", GONE)
            return response
        while not cut.is_set() and not self.is_down:
            for version, key, kind, body in list(self.changes):
                is_meant = _is_meant(body, namespace, request.query.get("labelSelector", ""))
                if version > seen and key[0] == plural and is_meant:
                    await _send(response, kind, body)
            seen = self.version
            async with self.changed:
                if seen == self.version and not cut.is_set():
                    await self.changed.wait()
        return response


async def _send(response, kind, body):
    await response.write(json.dumps({"type": kind, "object": body}).encode() + b"\n")


def _is_meant(body, namespace, selector):
    labels = body["metadata"].get("labels") or {}
    wanted = [pair.split("=") for pair in selector.split(",") if pair]
    is_here = namespace in (None, body["metadata"].get("namespace"))
    return is_here and all(labels.get(name) == value for name, value in wanted)
