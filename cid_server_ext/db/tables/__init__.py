"""The tables: what the catalog remembers. One module a subject; import them from here."""

from .base import UTC, Base, BigId, Named, new_uid
from .controls import Control
from .instruments import Instrument, InstrumentVersion, Mask, MaskVersion
from .ledger import Line, PriceList
from .memory import Duty, Journal, Mention
from .notices import MailWish, Notice
from .people import Allocation, Project, ProjectMember, Request, Team, TeamMember
from .provenance import Provenance
from .queue import Conducting, RunLimits, Spent, TeamUse
from .records import Dataset, File, Grave, Image, Link, Note, Record, Trash
from .references import Reference
from .subscriptions import Subscription, SubscriptionMatch
from .vocabulary import EVERYTHING, Document, Posting, Tag, Tally, Term, Value
from .work import Deposit, Run, RunInput, Template

__all__ = [
    "EVERYTHING",
    "UTC",
    "Allocation",
    "Base",
    "BigId",
    "Conducting",
    "Control",
    "Dataset",
    "Deposit",
    "Document",
    "Duty",
    "File",
    "Grave",
    "Image",
    "Instrument",
    "InstrumentVersion",
    "Journal",
    "Line",
    "Link",
    "MailWish",
    "Mask",
    "MaskVersion",
    "Mention",
    "Named",
    "Note",
    "Notice",
    "Posting",
    "PriceList",
    "Project",
    "ProjectMember",
    "Provenance",
    "Record",
    "Reference",
    "Request",
    "Run",
    "RunInput",
    "RunLimits",
    "Spent",
    "Subscription",
    "SubscriptionMatch",
    "Tag",
    "Tally",
    "Team",
    "TeamMember",
    "TeamUse",
    "Template",
    "Term",
    "Trash",
    "Value",
    "new_uid",
]
