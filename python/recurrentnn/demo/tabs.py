"""The open pages: what each is sent, and what it asks for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from recurrentnn._recurrentnn import __version__
from recurrentnn.demo import look, race
from recurrentnn.demo.commands import Command, Malformed, read
from recurrentnn.demo.form import fields
from recurrentnn.demo.lesson import drawing
from recurrentnn.demo.session import Session
from recurrentnn.demo.settings import message_of
from recurrentnn.demo.snapshot import Cursor
from recurrentnn.passages import Continuation
from recurrentnn.text_model import TextLanguage

MOST_TABS = 32
"""Pages at once."""

PAUSE = 0.1
"""Seconds between two messages `now` to a page, at least."""

# Symbols of a continuation that are drawn at once, and seconds between two letters.
_PIECE, _BEAT = 4, 0.01


class Tabs:
    """All open pages of a session.

    A page is sent the newest state when it has taken the last one: a slow one gets
    fewer messages, not later ones.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._open: set[Tab] = set()
        # Many pages that look inside at once do not take the time of learning.
        self.looking = asyncio.Semaphore(1)
        # Always on one thread, for the C library keeps memory for each that has worked.
        self.looker = ThreadPoolExecutor(1, "looking")
        self._encoded: tuple[Cursor, int, int, str, Cursor] | None = None

    async def serve(self, socket: WebSocket) -> None:
        """One page, from its first message to its last."""
        if len(self._open) >= MOST_TABS:
            await socket.close(1013, "too many pages are open")
            return
        await socket.accept()
        tab = Tab(socket, self._session, self)
        self._open.add(tab)
        try:
            await tab.serve()
        finally:
            self._open.discard(tab)

    def __len__(self) -> int:
        return len(self._open)

    def now(self, cursor: Cursor) -> tuple[str, Cursor]:
        """The message `now` as text; pages that have the same are sent the same."""
        version, count = self._session.board.version, len(self)
        if self._encoded is None or self._encoded[:3] != (cursor, version, count):
            message, seen = self._session.board.now(cursor)
            text = json.dumps({**message, "tabs": count})
            self._encoded = cursor, seen.version, count, text, seen
        return self._encoded[3:]


class Tab:
    """One page."""

    def __init__(self, socket: WebSocket, session: Session, tabs: Tabs) -> None:
        self._socket, self._session, self._tabs = socket, session, tabs
        self._sending = asyncio.Lock()
        self._letters: dict[int, asyncio.Task[None]] = {}
        # Looks inside that are under way, and those to come after them.
        self._answers: dict[str, asyncio.Task[None]] = {}
        self._wanted: dict[str, tuple[Command, Callable[..., dict[str, Any]]]] = {}

    async def serve(self) -> None:
        """Send and receive until the page goes."""
        showing = asyncio.create_task(self._show())
        hearing = asyncio.create_task(self._hear())
        tasks = {showing, hearing}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            tasks |= {*self._letters.values(), *self._answers.values()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _show(self) -> None:
        """Send the state whenever it has changed."""
        board, cursor, tabs = self._session.board, Cursor(), 0
        while True:
            if cursor.lesson != board.lesson:
                cursor = Cursor(lesson=board.lesson)
                await self._send(self._hello())
            if (cursor.version, tabs) != (board.version, len(self._tabs)):
                tabs = len(self._tabs)
                text, cursor = self._tabs.now(cursor)
                await self._send(text)
            await asyncio.sleep(PAUSE)

    def _hello(self) -> str:
        board = self._session.board
        return json.dumps(
            {
                "type": "hello",
                "version": __version__,
                "fields": fields(),
                "text": board.text,
                "race": race.described(),
                "settings": {},
                "net": None,
                "parameters": [],
                "signals": [],
                **board.facts,
            }
        )

    async def _hear(self) -> None:
        """Do what the page asks for, one after the other."""
        while True:
            try:
                message = await self._socket.receive()
            except (WebSocketDisconnect, RuntimeError):
                return
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            try:
                command = read("" if text is None else text)
            except Malformed as error:
                await self._refuse(error.do, error.number, str(error))
                continue
            try:
                await self._do(command)
            except Exception as error:
                number = command.values.get("id")
                await self._refuse(command.do, number, message_of(error))

    async def _do(self, command: Command) -> None:
        session, values = self._session, command.values
        match command.do:
            case "learn":
                settings = values["settings"]
                begun = await asyncio.to_thread(session.learn, settings)
                await asyncio.wrap_future(begun)
            case "begin":
                begun = await asyncio.to_thread(session.begin)
                await asyncio.wrap_future(begun)
            case "pause":
                await asyncio.wrap_future(session.pause())
            case "resume" | "step":
                single = command.do == "step"
                await asyncio.wrap_future(session.resume(single=single))
            case "rate":
                # Nothing waits: dragged, a slider asks often.
                session.set_rate(float(values["value"]))
            case "temperature":
                session.set_temperature(float(values["value"]))
            case "continue":
                self._begin_letters(**values)
            case "silence":
                task = self._letters.get(values["id"])
                if task is not None:
                    task.cancel()
            case "look":
                self._begin_answer(command, "looked", look.look)
            case "weights":
                self._begin_answer(
                    command,
                    "weighed",
                    lambda language, name: look.weigh(language.net, name),
                )

    def _begin_answer(
        self, command: Command, kind: str, work: Callable[..., dict[str, Any]]
    ) -> None:
        """Look while the page may ask for more; of those waiting, the newest counts."""
        self._wanted[kind] = command, work
        if kind not in self._answers:
            self._answers[kind] = asyncio.create_task(self._answer_newest(kind))

    async def _answer_newest(self, kind: str) -> None:
        """One look after the other, until the page wants none of the kind."""
        while (wanted := self._wanted.pop(kind, None)) is not None:
            command, work = wanted
            try:
                await self._answer(kind, command.values, work)
            except Exception as error:
                number = command.values.get("id")
                await self._refuse(command.do, number, message_of(error))
        del self._answers[kind]

    async def _answer(
        self, kind: str, values: Mapping[str, Any], work: Callable[..., dict[str, Any]]
    ) -> None:
        """What is found in a copy of the net, off the thread that learns."""
        number = values["id"]
        given = {name: value for name, value in values.items() if name != "id"}

        def answer(language: TextLanguage) -> str:
            return json.dumps({"type": kind, "id": number, **work(language, **given)})

        async with self._tabs.looking:
            language = await asyncio.wrap_future(self._session.copied())
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(self._tabs.looker, answer, language)
        await self._send(found)

    def _begin_letters(self, id: int, prompt: str, length: int) -> None:
        """Go on from a prompt; a page has one continuation at a time."""
        for task in self._letters.values():
            task.cancel()
        task = asyncio.create_task(self._continue(id, prompt, length))
        self._letters[id] = task
        task.add_done_callback(lambda _: self._letters.pop(id, None))

    async def _continue(self, number: int, prompt: str, length: int) -> None:
        """Letter by letter, at the temperature of then."""
        try:
            language = await asyncio.wrap_future(self._session.copied())
            place = Continuation(seed=number)
            options = drawing(language)
            left = length
            while left:
                count, before = min(_PIECE, left), place.position
                text, place = await asyncio.to_thread(
                    language.generate,
                    prompt,
                    count,
                    start=place,
                    temperature=self._session.board.temperature,
                    unknown=look.unknown(language),
                    **options,
                )
                prompt = ""
                ended = place.position - before < count
                left = 0 if ended else left - count
                for at in range(len(text) - 1):
                    await self._letter(number, text[at], done=False)
                    await asyncio.sleep(_BEAT)
                await self._letter(number, text[-1:], done=not left)
                await asyncio.sleep(_BEAT)
        except asyncio.CancelledError:
            await self._letter(number, "", done=True)
            raise
        except Exception as error:
            await self._refuse("continue", number, message_of(error))

    async def _letter(self, number: int, text: str, *, done: bool) -> None:
        message = {"type": "letters", "id": number, "text": text, "done": done}
        await self._send(json.dumps(message))

    async def _refuse(self, do: str | None, number: int | None, why: str) -> None:
        message = {"type": "refused", "do": do, "id": number, "message": why}
        await self._send(json.dumps(message))

    async def _send(self, text: str) -> None:
        async with self._sending:
            await self._socket.send_text(text)
