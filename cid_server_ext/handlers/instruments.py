"""The instrument register: microscopes, what they were made of at each time, settings of images."""

from __future__ import annotations

from ..core.catalog import descriptions, images, instruments, settings, standing
from ..db import clock
from . import instrument_shapes as shapes
from . import shapes as records
from .base import Ask, CidHandler, endpoint


class Instruments(CidHandler):
    """instruments."""

    @endpoint("The facility's microscopes", who="anyone", answer=shapes.AllInstruments)
    def get(self, ask: Ask) -> shapes.AllInstruments:
        """All of them, the retired ones too."""
        return shapes.AllInstruments(instruments=shapes.shaped(instruments.listing(ask.session)))

    @endpoint(
        "Register one", who="staff", body=shapes.NewInstrument, answer=shapes.Instrument, status=201
    )
    def post(self, ask: Ask) -> shapes.Instrument:
        """What it is made of is said by its first version."""
        new = ask.body.model_dump()
        return shapes.shaped([instruments.add(ask.session, ask.actor, **new)])[0]


class Check(CidHandler):
    """instruments/check."""

    @endpoint(
        "Read a description",
        who="anyone",
        body=shapes.Description,
        answer=shapes.Described,
        reads=True,
    )
    def post(self, ask: Ask) -> shapes.Described:
        """What a new version would be made of; nothing is changed."""
        document = ask.body.document or {}
        found = descriptions.hardware(ask.body.hardware, ask.body.document)
        name = descriptions.called(document, found)
        return shapes.Described(name=name, hardware=dict(found), tier=shapes.tier(document))


class AllStandings(CidHandler):
    """instruments/standing."""

    @endpoint("How the microscopes stand", who="anyone", answer=shapes.AllStanding, costly=True)
    def get(self, ask: Ask) -> shapes.AllStanding:
        """Quality control, and what they took of the images that the caller sees."""
        rows = standing.listing(ask.session, ask.actor)
        return shapes.AllStanding(instruments=[shapes.standing_of(row) for row in rows])


class OneInstrument(CidHandler):
    """instruments/{instrument}."""

    @endpoint("One microscope", who="anyone", answer=shapes.Instrument)
    def get(self, ask: Ask, instrument: str) -> shapes.Instrument:
        """For everybody."""
        return shapes.shaped([instruments.find(ask.session, instrument)])[0]

    @endpoint(
        "Change a microscope", who="staff", body=shapes.ChangeInstrument, answer=shapes.Instrument
    )
    def patch(self, ask: Ask, instrument: str) -> shapes.Instrument:
        """Name, serial, room, names, retired."""
        changes = ask.body.model_dump(exclude_none=True)
        return shapes.shaped([instruments.change(ask.session, ask.actor, instrument, changes)])[0]


class Versions(CidHandler):
    """instruments/{instrument}/versions."""

    @endpoint(
        "Say what it is made of", who="staff", body=shapes.NewVersion, answer=shapes.Instrument
    )
    def put(self, ask: Ask, instrument: str) -> shapes.Instrument:
        """From a moment on; what was said for the same moment is corrected."""
        new = ask.body
        instruments.put_version(
            ask.session,
            ask.actor,
            instrument,
            valid_from=new.valid_from or clock.now(ask.session),
            made_of=descriptions.hardware(new.hardware, new.document),
            document=new.document,
            why=new.why,
        )
        return shapes.shaped([instruments.find(ask.session, instrument)])[0]


class OneVersion(CidHandler):
    """instruments/{instrument}/versions/{version}."""

    @endpoint("One version, with its document", who="anyone", answer=shapes.WholeVersion)
    def get(self, ask: Ask, instrument: str, version: str) -> shapes.WholeVersion:
        """As it came."""
        row = instruments.version(ask.session, instrument, version)
        return shapes.WholeVersion(**shapes.version(row), document=row.document)


class ImageSettings(CidHandler):
    """images/{image}/settings."""

    @endpoint(
        "Fill tags from settings", who="annotator", body=shapes.Settings, answer=records.Image
    )
    def put(self, ask: Ask, image: str) -> records.Image:
        """What the image says already stays."""
        settings.apply(ask.session, ask.actor, image, ask.body.document)
        return records.image(ask, images.get(ask.session, ask.actor, image))
