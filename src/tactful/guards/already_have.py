"""Do not offer what the person already has, or knows."""

from typing import ClassVar

from msgspec import Struct

from tactful.domain.bounds import verbs
from tactful.domain.catalogue import Catalogue, Mask, Rows, chosen
from tactful.domain.view import Moment
from tactful.ports import Guard


class AlreadyHave(Guard, Struct, frozen=True, forbid_unknown_fields=True):
    """verbs: what makes an item had. Something given back (`returned`) can come again."""

    why: ClassVar[str] = "the person already has it"
    personal: ClassVar[bool] = True
    verbs: tuple[str, ...] = ("bought", "finished", "rated")

    def __post_init__(self) -> None:
        verbs(verbs=self.verbs)

    def permit(self, rows: Rows, catalogue: Catalogue, moment: Moment) -> Mask:
        """Items that the View does not show as had."""
        given_back = {act.item: act.at for act in moment.done.get("returned", ())}
        had = [
            act.item
            for verb in self.verbs
            for act in moment.done.get(verb, ())
            if act.at >= given_back.get(act.item, -1)
        ]
        return ~chosen(rows, catalogue.rows(had), len(catalogue))
