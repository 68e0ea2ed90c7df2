"""A receipt on the screen."""

import click

from tactful.api.answers import Saying
from tactful.api.shapes import DecisionOut, ReceiptResponse
from tactful.cli.show import table
from tactful.domain.consent import Dial
from tactful.domain.receipt import Receipt
from tactful.flow.wording import Reason
from tactful.wire import Home


def saying(home: Home, language: str | None, depth: str) -> Saying:
    """How a command says why."""
    data = {name: entry.words for name, entry in home.charter.data.items()}
    return Saying(home.languages.speak(language), depth, home.settings.explain.mute, data)


def show_receipt(out: ReceiptResponse) -> None:
    """Print what there is of a receipt: the reasons; with details what each counts; in full what was read, withheld and removed, by name."""
    receipt = out.receipt
    if receipt is None:
        click.echo(f"{out.label}\n")
        table(((number, one.title, one.why) for number, one in enumerate(out.reasons, 1)), ("", "item", "why"))
    else:
        who = receipt.person or "somebody who is not named"
        click.echo(f"{out.label} · {receipt.placement} · for {who} · dial at {Dial(receipt.dial).words!r}\n")
        rows = [
            (number, reason.title, reason.why, reason.what_if, f"{shown.odds:.3f}")
            for number, (reason, shown) in enumerate(zip(out.reasons, receipt.shown, strict=True), 1)
        ]
        table(rows, ("", "item", "why", "what if", "odds"))
    if receipt is not None:
        _show_rest(receipt)
    elif out.details is not None:
        for number, item in enumerate(out.details.items, 1):
            _show_reasons(number, item.title, item.what_if, item.reasons, item.chance)
        _show_lines(out.details.read, out.details.assumed, *out.details.withheld, *out.details.removed)


def show_details(out: DecisionOut) -> None:
    """Print what a decision says beyond its sentences, if it does."""
    for number, item in enumerate(out.items, 1):
        if item.more is not None:
            _show_reasons(number, item.title, item.more.what_if, item.more.reasons, item.more.chance)
    if out.more is not None:
        _show_lines(out.more.read, out.more.assumed, *out.more.withheld, *out.more.removed)


def _show_reasons(number: int, title: str, what_if: str, reasons: tuple[Reason, ...], chance: str) -> None:
    click.echo(f"\n{number}  {title}")
    for line in (*(f"{reason.words} ({reason.share:.0%})" for reason in reasons), what_if, chance):
        if line:
            click.echo(f"   {line}")


def _show_lines(*lines: str) -> None:
    click.echo("\n" + "\n".join(line for line in lines if line))


def _show_rest(receipt: Receipt) -> None:
    """What is for the operator: names as the charter and the recipe have them."""
    click.echo(f"\nRead: {', '.join(receipt.opened) or 'nothing about a person'}")
    if receipt.assumed:
        click.echo(f"Assumed, since nothing is known: {', '.join(receipt.assumed)}")
    for held in receipt.withheld:
        click.echo(f"Withheld: {held.count:,} of {held.data}: {held.why}")
    for gone in receipt.removed:
        click.echo(f"Removed by {gone.by}: {gone.count:,}, {gone.why}")
    for fault in receipt.faults:
        click.echo(f"Failed: {fault}")
    models = ", ".join(f"{name} {version}" for name, version in receipt.models.items())
    click.echo(
        f"{receipt.proposed:,} proposed, {receipt.permitted:,} permitted; charter {receipt.charter}; models {models}"
    )
