"""The operators' page: presets and their queues, workers, failures, and what can be done about them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from forum.studio import actions
from forum.threads.sentences import sentence
from forum.web import MemberRequest, Request, is_fragment, member_required
from generation import queue

P = ParamSpec("P")
SWITCHES: dict[str, Callable[[str], None]] = {
    "enable": queue.enable,
    "disable": queue.disable,
    "default": queue.make_default,
    "pause": queue.pause,
    "resume": queue.resume,
}


def operators(
    view: Callable[Concatenate[MemberRequest, P], HttpResponse], *, owner: bool = False
) -> Callable[Concatenate[Request, P], HttpResponse]:
    """For those who look after the house; with `owner`, for the owner alone. 404 for members."""

    @wraps(view)
    def door(request: MemberRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.member.is_moderator:
            raise Http404
        if owner and not request.member.is_owner:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return member_required(door)


def owners(
    view: Callable[Concatenate[MemberRequest, P], HttpResponse],
) -> Callable[Concatenate[Request, P], HttpResponse]:
    """For the owner alone."""
    return operators(view, owner=True)


@dataclass(frozen=True, slots=True)
class Device:
    """One device of a worker, as it says of itself: a GPU, or the pool of processes on the CPU."""

    words: dict[str, Any]

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.words.get("device") or self.words.get("name") or "cpu")

    @property
    def memory(self) -> str:
        """Used and whole memory in gigabytes; "" where it does not say."""
        whole = self.words.get("memory_gb")
        return f"{self.words.get('memory_used_gb', 0):.0f} / {whole:.0f} GB" if whole else ""

    @property
    def fill(self) -> str:
        """Mean number of jobs in a batch; "" before the first."""
        batches = {int(size): count for size, count in self.words.get("batches", {}).items()}
        many = sum(batches.values())
        return f"{sum(n * count for n, count in batches.items()) / many:.2f}" if many else ""


def devices_of(machine: queue.Machine) -> list[Device]:
    """Its devices; the pool is one where it has made something or there is no other."""
    about = machine.about
    pool = {"name": about.get("device", "cpu"), **about.get("pool", {})}
    found = [Device(words) for words in about.get("devices", ())]
    return [*found, Device(pool)] if pool.get("made") or not found else found


@never_cache
@require_GET
@operators
def studio(request: MemberRequest) -> HttpResponse:
    """Everything at a glance; for htmx the part that changes."""
    machines = queue.workers()
    words = {
        "lanes": queue.lanes(),
        "machines": [(each, devices_of(each)) for each in machines],
        "troubles": [(each, sentence(each.reason)) for each in queue.troubles()],
        "messages_waiting": queue.messages_waiting(),
        "may_act": request.member.is_owner,
    }
    template = "studio/_now.html" if is_fragment(request) else "studio/studio.html"
    return render(request, template, words)


@require_POST
@owners
def switch(request: MemberRequest, name: str) -> HttpResponse:
    """Offer a preset or not, pause it or let it run, make it the default."""
    change = SWITCHES.get(request.POST.get("do", ""))
    if change is None:
        raise Http404
    try:
        change(name)
    except LookupError:
        raise Http404 from None
    return redirect("studio")


@require_POST
@owners
def switch_all(request: MemberRequest) -> HttpResponse:
    """Pause every preset, or let all run."""
    do = request.POST.get("do", "")
    if do not in ("pause", "resume"):
        raise Http404
    for name in queue.presets():
        SWITCHES[do](name)
    return redirect("studio")


@require_POST
@owners
def worker(request: MemberRequest) -> HttpResponse:
    """Let a worker finish and take nothing more, or take jobs again."""
    change = {"drain": queue.drain, "refill": queue.refill}.get(request.POST.get("do", ""))
    name = request.POST.get("name", "")[:120]
    if change is None or not change(name):
        raise Http404
    return redirect("studio")


@require_POST
@owners
def retry(request: MemberRequest) -> HttpResponse:
    """Let everything that failed for one reason in the last day try again."""
    preset, reason = request.POST.get("preset", ""), request.POST.get("reason", "")
    done = actions.retry(preset=preset[:40], reason=reason[:40], by=request.member)
    said = ngettext("%(n)d job tries again.", "%(n)d jobs try again.", done.again) % {
        "n": done.again
    }
    if done.left:
        said += " " + ngettext(
            "%(n)d cannot: what it needs is gone.",
            "%(n)d cannot: what they need is gone.",
            done.left,
        ) % {"n": done.left}
    messages.success(request, said) if done.again else messages.info(request, said or _("Nothing."))
    return redirect("studio")
