"""A receipt on the screen."""

import click

from tactful.api.shapes import ReceiptResponse
from tactful.cli.show import table
from tactful.domain.consent import Dial


def show_receipt(out: ReceiptResponse) -> None:
    """Print a receipt: the reasons, then what was read, withheld, removed."""
    receipt = out.receipt
    who = receipt.person or "somebody who is not named"
    click.echo(f"{out.label} · {receipt.placement} · for {who} · dial at {Dial(receipt.dial).words!r}\n")
    rows = []
    for number, (reason, shown) in enumerate(zip(out.reasons, receipt.shown, strict=True), 1):
        rows.append((number, reason.title, reason.why, reason.what_if, f"{shown.odds:.3f}"))
    table(rows, ("", "item", "why", "what if", "odds"))
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
