"""OME models from XML and to XML, for thousands of images in a row."""

from __future__ import annotations

import warnings

import ome_types
from ome_types import OME
from xsdata_pydantic_basemodel.bindings import SerializerConfig, XmlContext, XmlSerializer

URI = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
# ome_types makes one for each text and so looks at all its classes again: five times slower.
_CONTEXT = XmlContext()
_SERIALIZER = XmlSerializer(
    context=_CONTEXT,
    config=SerializerConfig(
        indent="  ",
        xml_declaration=False,
        ignore_default_attributes=False,
        ignore_unset_attributes=True,
        schema_location=f"{URI} {URI}/ome.xsd",
    ),
)


def to_xml(ome: OME) -> str:
    """Return a model as OME-XML, as `ome.to_xml()` does."""
    ome._update_set_fields()  # lists that were appended to are told as well
    return str(_SERIALIZER.render(ome, ns_map={None: URI}))


def from_xml(text: str) -> OME:
    """Return the model of OME-XML; ValueError or TypeError: it is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library remarks on odd identifiers
        return ome_types.from_xml(text, parser_kwargs={"context": _CONTEXT})
