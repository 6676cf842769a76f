"""Microscopes for tests: hardware in our form, in the Micro-Meta App's, and as OME XML."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import instruments
from cid_server_ext.db import tables as t

STAFF = Actor("staff", staff=True)
SINCE = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

HARDWARE: dict[str, Any] = {
    "microscope": "Acme Confocal 9",
    "software": ["AcmeCapture 3.1"],
    "objectives": [
        {"name": "Acme Plan-Apo 63x/1.4 Oil", "magnification": 63, "na": 1.4, "immersion": "Oil"},
        {"name": "Acme Plan 10x/0.3", "magnification": 10, "na": 0.3},
    ],
    "lasers": [{"name": "Blue 488 nm", "wavelength": 488}, {"name": "Green 561 nm"}],
    "detectors": ["AcmeTube GaAsP"],
}

# Microscope.JSON of the Micro-Meta App: the same form, our own content
MICROSCOPE: dict[str, Any] = {
    "Name": "Widefield 2",
    "Schema_ID": "Instrument.json",
    "ID": "5f1c1c7e-0000-4000-8000-000000000001",
    "Tier": 1,
    "ValidationTier": 1,
    "ModelVersion": "2.01.0",
    "MicroscopeStand": {
        "Name": "Stand",
        "Schema_ID": "InvertedMicroscopeStand.json",
        "Manufacturer": "Acme",
        "Model": "Eclipse-like 7",
    },
    "components": [
        {
            "Name": "100x oil",
            "Schema_ID": "Objective.json",
            "ID": "objective-1",
            "Manufacturer": "Acme",
            "NominalMagnification": "100",
            "LensNA": 1.45,
        },
        {
            "Name": "20x air",
            "Schema_ID": "Objective.json",
            "ID": "objective-2",
            "Manufacturer": "Acme",
            "NominalMagnification": 20,
            "LensNA": 0.8,
        },
        {
            "Name": "Lamp",
            "Schema_ID": "LightEmittingDiode.json",
            "ID": "led",
            "Manufacturer": "Lux",
        },
        {"Name": "Quad", "Schema_ID": "FilterCube.json", "ID": "cube", "Manufacturer": "Chromatic"},
        {"Name": "In the cube", "Schema_ID": "EmissionFilter.json", "ID": "emission"},
        {
            "Name": "Camera",
            "Schema_ID": "CMOS.json",
            "ID": "camera",
            "Manufacturer": "Acme",
            "Model": "Acme Flash",
        },
        {"Name": "Table", "Schema_ID": "MicroscopeTable.json", "ID": "table"},
    ],
}

SETTINGS: dict[str, Any] = {
    "Name": "an acquisition",
    "Schema_ID": "Image.json",
    "InstrumentName": "Widefield 2",
    "InstrumentID": MICROSCOPE["ID"],
    "AcquisitionDate": "2026-03-04T10:00:00",
    "ObjectiveSettings": {"Name": "Objective", "Component_ID": "objective-1"},
    "Channels": [
        {
            "Name": "DAPI",
            "LightPath": {
                "ComponentSettings": {
                    "LightSource": {"Component_ID": "led"},
                    "Detector": {"Component_ID": "camera"},
                    "EmissionFilter": {"Component_ID": "emission"},
                }
            },
        }
    ],
}

OME = """<?xml version="1.0"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Instrument ID="Instrument:0">
<Microscope Manufacturer="Acme" Model="Upright 1" SerialNumber="77"/>
<Laser ID="LightSource:0" Manufacturer="Acme" Model="Sapphire" Wavelength="488"/>
<Detector ID="Detector:0" Manufacturer="Acme" Model="Cool"/>
<Objective ID="Objective:0" Model="Fluar" NominalMagnification="40" LensNA="1.3" Immersion="Oil"/>
</Instrument></OME>"""


def register(
    session: Session,
    name: str = "Confocal 1",
    *,
    names: Sequence[str] = ("Acme Confocal 9",),
    made_of: dict[str, Any] | None = None,
    serial: str = "",
) -> t.Instrument:
    """Register a microscope with one version, good from 2026 on."""
    row = instruments.add(session, STAFF, name, names=names, serial=serial, room="B 12")
    made = HARDWARE if made_of is None else made_of
    instruments.put_version(session, STAFF, row.uid, valid_from=SINCE, made_of=made)
    return row
