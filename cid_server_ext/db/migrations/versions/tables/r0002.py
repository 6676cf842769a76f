"""The tables as revision 0002 makes them. Frozen once it is released: a change is a new revision."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def create() -> None:
    """Make all tables and indexes, those of full text too."""
    op.create_table(
        "conducting",
        sa.Column("conductor", sa.String(length=120), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("conductor", name=op.f("pk_conducting")),
    )
    op.create_table(
        "duty",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=120), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_duty")),
    )
    op.create_table(
        "grave",
        sa.Column("prefix", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("prefix", name=op.f("pk_grave")),
    )
    op.create_table(
        "instrument",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("folded", sa.String(length=240), nullable=False),
        sa.Column("serial", sa.String(length=120), server_default="", nullable=False),
        sa.Column("room", sa.String(length=120), server_default="", nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instrument")),
        sa.UniqueConstraint("folded", name=op.f("uq_instrument_folded")),
        sa.UniqueConstraint("uid", name=op.f("uq_instrument_uid")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "journal",
        sa.Column("id", BIG, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=True),
        sa.Column("rows", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("undoes", BIG, nullable=True),
        sa.ForeignKeyConstraint(["undoes"], ["journal.id"], name=op.f("fk_journal_undoes_journal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
        sa.UniqueConstraint("undoes", name=op.f("uq_journal_undoes")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_journal_project", "journal", ["project_id", "id"], unique=False)
    op.create_index("ix_journal_subject", "journal", ["subject", "id"], unique=False)
    op.create_table(
        "mail_wish",
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("mail", sa.String(length=8), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.CheckConstraint("mail IN ('none', 'each', 'daily')", name=op.f("ck_mail_wish_mail")),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_mail_wish")),
    )
    op.create_table(
        "mention",
        sa.Column("record_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("record_id", "entry", name=op.f("pk_mention")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "posting",
        sa.Column("entry", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("record_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint(
            "entry", "project_id", "kind", "record_id", name=op.f("pk_posting")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "price_list",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("tariffs", sa.JSON(), nullable=False),
        sa.Column("published_by", sa.String(length=120), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_list")),
        sa.UniqueConstraint("uid", name=op.f("uq_price_list_uid")),
        sa.UniqueConstraint("version", name=op.f("uq_price_list_version")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "tally",
        sa.Column("project_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "entry", "kind", name=op.f("pk_tally")),
    )
    op.create_index(op.f("ix_tally_entry"), "tally", ["entry"], unique=False)
    op.create_table(
        "team",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("tariff", sa.String(length=12), server_default="internal", nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.CheckConstraint(
            "tariff IN ('internal', 'academic', 'industrial')", name=op.f("ck_team_tariff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
        sa.UniqueConstraint("name", name=op.f("uq_team_name")),
        sa.UniqueConstraint("uid", name=op.f("uq_team_uid")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "control",
        sa.Column("instrument_id", BIG, nullable=False),
        sa.Column("series", sa.String(length=500), nullable=False),
        sa.Column("metric", sa.String(length=120), nullable=False),
        sa.Column("place", sa.String(length=120), server_default="", nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("unit", sa.String(length=32), server_default="", nullable=False),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("every", sa.Integer(), nullable=True),
        sa.Column("evidence", sa.String(length=36), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instrument.id"], name=op.f("fk_control_instrument_id_instrument")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_control")),
        sa.UniqueConstraint("uid", name=op.f("uq_control_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_control_series", "control", ["instrument_id", "series", "measured_at"], unique=False
    )
    op.create_table(
        "instrument_version",
        sa.Column("instrument_id", BIG, nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hardware", sa.JSON(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["instrument_id"],
            ["instrument.id"],
            name=op.f("fk_instrument_version_instrument_id_instrument"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instrument_version")),
        sa.UniqueConstraint(
            "instrument_id",
            "valid_from",
            name=op.f("uq_instrument_version_instrument_id_valid_from"),
        ),
        sa.UniqueConstraint("uid", name=op.f("uq_instrument_version_uid")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "mask",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("folded", sa.String(length=240), nullable=False),
        sa.Column("instrument_id", BIG, nullable=True),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instrument.id"], name=op.f("fk_mask_instrument_id_instrument")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mask")),
        sa.UniqueConstraint("folded", name=op.f("uq_mask_folded")),
        sa.UniqueConstraint("uid", name=op.f("uq_mask_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_mask_instrument_id"), "mask", ["instrument_id"], unique=False)
    op.create_table(
        "project",
        sa.Column("team_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.CheckConstraint(
            "state IN ('requested', 'active', 'archiving', 'archived', 'recalling', 'closed')",
            name=op.f("ck_project_state"),
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_project_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
        sa.UniqueConstraint("name", name=op.f("uq_project_name")),
        sa.UniqueConstraint("uid", name=op.f("uq_project_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_project_team_id"), "project", ["team_id"], unique=False)
    op.create_table(
        "run_limits",
        sa.Column("team_id", BIG, nullable=True),
        sa.Column("share", sa.Float(), nullable=True),
        sa.Column("batches", sa.Integer(), nullable=True),
        sa.Column("runs", sa.Integer(), nullable=True),
        sa.Column("person_batches", sa.Integer(), nullable=True),
        sa.Column("person_runs", sa.Integer(), nullable=True),
        sa.Column("gpu_minutes", sa.Integer(), nullable=True),
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.CheckConstraint("share > 0", name=op.f("ck_run_limits_share")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_run_limits_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_limits")),
        sa.UniqueConstraint("team_id", name=op.f("uq_run_limits_team_id")),
        sa.UniqueConstraint("uid", name=op.f("uq_run_limits_uid")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "spent",
        sa.Column("id", BIG, nullable=False),
        sa.Column("team_id", BIG, nullable=False),
        sa.Column("used", sa.Float(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_spent_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spent")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "team_member",
        sa.Column("team_id", BIG, nullable=False),
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('leader', 'member')", name=op.f("ck_team_member_role")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_team_member_team_id_team")),
        sa.PrimaryKeyConstraint("team_id", "person", name=op.f("pk_team_member")),
    )
    op.create_index("ix_team_member_person", "team_member", ["person"], unique=False)
    op.create_table(
        "team_use",
        sa.Column("team_id", BIG, nullable=False),
        sa.Column("used", sa.Float(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_team_use_team_id_team")),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_team_use")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "allocation",
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("limit", sa.BigInteger(), nullable=False),
        sa.Column("soft", sa.BigInteger(), nullable=True),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("reserved >= 0", name=op.f("ck_allocation_reserved")),
        sa.CheckConstraint("used >= 0", name=op.f("ck_allocation_used")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_allocation_project_id_project")
        ),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_allocation")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "line",
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("team_id", BIG, nullable=False),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('storage', 'archive', 'gpu', 'cpu')", name=op.f("ck_line_kind")
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_line_project_id_project")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_line_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line")),
        sa.UniqueConstraint("key", name=op.f("uq_line_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_line_project", "line", ["project_id", "day"], unique=False)
    op.create_index("ix_line_team", "line", ["team_id", "day"], unique=False)
    op.create_table(
        "mask_version",
        sa.Column("mask_id", BIG, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["mask_id"], ["mask.id"], name=op.f("fk_mask_version_mask_id_mask")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mask_version")),
        sa.UniqueConstraint("mask_id", "number", name=op.f("uq_mask_version_mask_id_number")),
        sa.UniqueConstraint("uid", name=op.f("uq_mask_version_uid")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "notice",
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("project_id", BIG, nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("about", sa.String(length=160), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mail", sa.String(length=8), nullable=False),
        sa.Column("mail_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.CheckConstraint(
            "mail IN ('none', 'due', 'sent', 'refused')", name=op.f("ck_notice_mail")
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_notice_project_id_project")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("uid", name=op.f("uq_notice_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_notice_due",
        "notice",
        ["mail_at"],
        unique=False,
        sqlite_where=sa.text("mail = 'due'"),
        postgresql_where=sa.text("mail = 'due'"),
    )
    op.create_index("ix_notice_person", "notice", ["person", "id"], unique=False)
    op.create_index(op.f("ix_notice_project_id"), "notice", ["project_id"], unique=False)
    op.create_table(
        "project_member",
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "role IN ('viewer', 'annotator', 'contributor', 'manager')",
            name=op.f("ck_project_member_role"),
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_project_member_project_id_project")
        ),
        sa.PrimaryKeyConstraint("project_id", "person", name=op.f("pk_project_member")),
    )
    op.create_index("ix_project_member_person", "project_member", ["person"], unique=False)
    op.create_table(
        "request",
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(length=120), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("project_id", BIG, nullable=True),
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.CheckConstraint(
            "state IN ('asked', 'approved', 'refused', 'withdrawn')", name=op.f("ck_request_state")
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_request_project_id_project")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
        sa.UniqueConstraint("uid", name=op.f("uq_request_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_request_person"), "request", ["person"], unique=False)
    op.create_table(
        "template",
        sa.Column("project_id", BIG, nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("version", sa.String(length=24), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=True),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("notebook", sa.Text(), nullable=False),
        sa.Column("changelog", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("published_by", sa.String(length=120), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=120), nullable=True),
        sa.Column("withdrawn_for", sa.Text(), nullable=True),
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_template_project_id_project")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template")),
        sa.UniqueConstraint(
            "project_id", "name", "version", name=op.f("uq_template_project_id_name_version")
        ),
        sa.UniqueConstraint("uid", name=op.f("uq_template_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_template_facility",
        "template",
        ["name", "version"],
        unique=True,
        sqlite_where=sa.text("project_id IS NULL"),
        postgresql_where=sa.text("project_id IS NULL"),
    )
    op.create_index(op.f("ix_template_name"), "template", ["name"], unique=False)
    op.create_index(op.f("ix_template_project_id"), "template", ["project_id"], unique=False)
    op.create_table(
        "term",
        sa.Column("project_id", BIG, nullable=True),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("folded", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("type", sa.String(length=12), nullable=False),
        sa.Column("unit", sa.String(length=24), nullable=False),
        sa.Column("scheme", sa.String(length=24), server_default="", nullable=False),
        sa.Column("pattern", sa.String(length=200), server_default="", nullable=False),
        sa.Column("link", sa.String(length=200), server_default="", nullable=False),
        sa.Column("help", sa.String(length=400), server_default="", nullable=False),
        sa.Column("many", sa.Boolean(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.CheckConstraint(
            "kind IN ('machine', 'sample', 'processing')", name=op.f("ck_term_kind")
        ),
        sa.CheckConstraint(
            "type IN ('text', 'number', 'date', 'choice', 'ontology', 'id')",
            name=op.f("ck_term_type"),
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_term_project_id_project")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_term")),
        sa.UniqueConstraint("project_id", "folded", name=op.f("uq_term_project_id_folded")),
        sa.UniqueConstraint("uid", name=op.f("uq_term_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_term_project_id"), "term", ["project_id"], unique=False)
    op.create_index(
        "uq_term_facility",
        "term",
        ["folded"],
        unique=True,
        sqlite_where=sa.text("project_id IS NULL"),
        postgresql_where=sa.text("project_id IS NULL"),
    )
    op.create_table(
        "trash",
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("what", sa.String(length=400), nullable=False),
        sa.Column("nbytes", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("purge_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.CheckConstraint("state IN ('kept', 'restored', 'purged')", name=op.f("ck_trash_state")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_trash_project_id_project")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trash")),
        sa.UniqueConstraint("uid", name=op.f("uq_trash_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_trash_project_id"), "trash", ["project_id"], unique=False)
    op.create_table(
        "dataset",
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("parent_id", BIG, nullable=True),
        sa.Column("path", sa.String(length=700), nullable=False),
        sa.Column("query", sa.Text(), nullable=True),
        sa.Column("trash_id", BIG, nullable=True),
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["dataset.id"],
            name=op.f("fk_dataset_parent_id_dataset"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_dataset_project_id_project")
        ),
        sa.ForeignKeyConstraint(["trash_id"], ["trash.id"], name=op.f("fk_dataset_trash_id_trash")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset")),
        sa.UniqueConstraint("uid", name=op.f("uq_dataset_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_dataset_parent_id"), "dataset", ["parent_id"], unique=False)
    op.create_index(op.f("ix_dataset_project_id"), "dataset", ["project_id"], unique=False)
    op.create_index(op.f("ix_dataset_trash_id"), "dataset", ["trash_id"], unique=False)
    op.create_index(
        "uq_dataset_path",
        "dataset",
        ["project_id", "path"],
        unique=True,
        sqlite_where=sa.text("trash_id IS NULL"),
        postgresql_where=sa.text("trash_id IS NULL"),
    )
    op.create_table(
        "value",
        sa.Column("term_id", BIG, nullable=False),
        sa.Column("text", sa.String(length=400), nullable=False),
        sa.Column("folded", sa.String(length=800), nullable=False),
        sa.Column("iri", sa.String(length=200), nullable=False),
        sa.Column("declared", sa.Boolean(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.ForeignKeyConstraint(["term_id"], ["term.id"], name=op.f("fk_value_term_id_term")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_value")),
        sa.UniqueConstraint("term_id", "text", name=op.f("uq_value_term_id_text")),
        sa.UniqueConstraint("uid", name=op.f("uq_value_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_value_folded", "value", ["term_id", "folded"], unique=False)
    op.create_table(
        "run",
        sa.Column("batch", sa.String(length=36), nullable=False),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("template_id", BIG, nullable=False),
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("gpu", sa.Boolean(), nullable=True),
        sa.Column("lane", sa.String(length=60), nullable=False),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("paused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("strikes", sa.JSON(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("environment", sa.JSON(), nullable=False),
        sa.Column("usage", sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("error", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("lease_by", sa.String(length=120), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cluster", sa.String(length=120), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dataset_id", BIG, nullable=True),
        sa.Column("replay_of_id", BIG, nullable=True),
        sa.Column("then", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("after_id", BIG, nullable=True),
        sa.Column("followed", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'starting', 'running', 'committing', 'done', 'failed', 'cancelled')",
            name=op.f("ck_run_state"),
        ),
        sa.ForeignKeyConstraint(["after_id"], ["run.id"], name=op.f("fk_run_after_id_run")),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_run_dataset_id_dataset")
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_run_project_id_project")
        ),
        sa.ForeignKeyConstraint(["replay_of_id"], ["run.id"], name=op.f("fk_run_replay_of_id_run")),
        sa.ForeignKeyConstraint(
            ["template_id"], ["template.id"], name=op.f("fk_run_template_id_template")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_run_token_hash")),
        sa.UniqueConstraint("uid", name=op.f("uq_run_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_run_after_id"), "run", ["after_id"], unique=False)
    op.create_index("ix_run_batch", "run", ["batch", "state"], unique=False)
    op.create_index(
        "ix_run_driven",
        "run",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("state IN ('starting', 'running')"),
        postgresql_where=sa.text("state IN ('starting', 'running')"),
    )
    op.create_index("ix_run_ended", "run", ["ended_at"], unique=False)
    op.create_index("ix_run_history", "run", ["template_id", "state", "id"], unique=False)
    op.create_index(
        "ix_run_next",
        "run",
        ["state", "id"],
        unique=False,
        sqlite_where=sa.text('"then" IS NOT NULL AND followed IS NULL'),
        postgresql_where=sa.text('"then" IS NOT NULL AND followed IS NULL'),
    )
    op.create_index(op.f("ix_run_project_id"), "run", ["project_id"], unique=False)
    op.create_index(op.f("ix_run_replay_of_id"), "run", ["replay_of_id"], unique=False)
    op.create_index(op.f("ix_run_state"), "run", ["state"], unique=False)
    op.create_index(
        "ix_run_waiting",
        "run",
        ["paused", "lane", "attempt", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_table(
        "subscription",
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("template_id", BIG, nullable=False),
        sa.Column("dataset_id", BIG, nullable=False),
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("cause", sa.String(length=12), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("most_runs", sa.Integer(), nullable=True),
        sa.Column("most_a_day", sa.Integer(), nullable=True),
        sa.Column("most_bytes", sa.BigInteger(), nullable=True),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("nbytes", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("today", sa.Integer(), nullable=False),
        sa.Column("needs", sa.BigInteger(), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.CheckConstraint(
            "state IN ('active', 'paused', 'ended')", name=op.f("ck_subscription_state")
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_subscription_dataset_id_dataset")
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_subscription_project_id_project")
        ),
        sa.ForeignKeyConstraint(
            ["template_id"], ["template.id"], name=op.f("fk_subscription_template_id_template")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("uid", name=op.f("uq_subscription_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_subscription_dataset_id"), "subscription", ["dataset_id"], unique=False
    )
    op.create_index(
        op.f("ix_subscription_project_id"), "subscription", ["project_id"], unique=False
    )
    op.create_index(op.f("ix_subscription_state"), "subscription", ["state"], unique=False)
    op.create_table(
        "deposit",
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("dataset_id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("client_key", sa.String(length=64), nullable=True),
        sa.Column("run_id", BIG, nullable=True),
        sa.Column("again", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("declared", sa.JSON(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.JSON(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("error", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("results", sa.JSON(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_by", sa.String(length=120), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_deposit_dataset_id_dataset")
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_deposit_project_id_project")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_deposit_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deposit")),
        sa.UniqueConstraint("uid", name=op.f("uq_deposit_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_deposit_client_key",
        "deposit",
        ["project_id", "person", "client_key"],
        unique=True,
        sqlite_where=sa.text("client_key IS NOT NULL AND state IN ('open', 'importing')"),
        postgresql_where=sa.text("client_key IS NOT NULL AND state IN ('open', 'importing')"),
    )
    op.create_index(
        "ix_deposit_leased",
        "deposit",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("lease_by IS NOT NULL"),
        postgresql_where=sa.text("lease_by IS NOT NULL"),
    )
    op.create_index(op.f("ix_deposit_project_id"), "deposit", ["project_id"], unique=False)
    op.create_index(op.f("ix_deposit_run_id"), "deposit", ["run_id"], unique=False)
    op.create_index(op.f("ix_deposit_state"), "deposit", ["state"], unique=False)
    op.create_table(
        "provenance",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_provenance_run_id_run")),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("pk_provenance")),
    )
    op.create_table(
        "record",
        sa.Column("type", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("dataset_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("prefix", sa.String(length=200), nullable=False),
        sa.Column("nbytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("tier", sa.String(length=12), server_default="online", nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("run_id", BIG, nullable=True),
        sa.Column("trash_id", BIG, nullable=True),
        sa.Column("purged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column("axes", sa.String(length=8), nullable=True),
        sa.Column("shape", sa.JSON(), nullable=True),
        sa.Column("dtype", sa.String(length=12), nullable=True),
        sa.Column("levels", sa.Integer(), nullable=True),
        sa.Column("scale", sa.JSON(), nullable=True),
        sa.Column("units", sa.JSON(), nullable=True),
        sa.Column("channels", sa.JSON(), nullable=True),
        sa.Column("acquired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("instrument_id", BIG, nullable=True),
        sa.Column("mask_version_id", BIG, nullable=True),
        sa.Column("unknown", sa.JSON(), nullable=True),
        sa.Column("quality", sa.JSON(), nullable=True),
        sa.Column("inside", sa.String(length=400), nullable=True),
        sa.Column("original_id", BIG, nullable=True),
        sa.Column("source_id", BIG, nullable=True),
        sa.Column("media_type", sa.String(length=100), nullable=True),
        sa.Column("filename", sa.String(length=255), nullable=True),
        sa.Column("blake3", sa.String(length=64), nullable=True),
        sa.CheckConstraint(
            "kind IN ('image', 'labels', 'original', 'table', 'figure', 'notebook', 'log', 'file')",
            name=op.f("ck_record_kind"),
        ),
        sa.CheckConstraint("tier IN ('online', 'archive')", name=op.f("ck_record_tier")),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_record_dataset_id_dataset")
        ),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instrument.id"], name=op.f("fk_record_instrument_id_instrument")
        ),
        sa.ForeignKeyConstraint(
            ["mask_version_id"],
            ["mask_version.id"],
            name=op.f("fk_record_mask_version_id_mask_version"),
        ),
        sa.ForeignKeyConstraint(
            ["original_id"],
            ["record.id"],
            name=op.f("fk_record_original_id_record"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_record_project_id_project")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_record_run_id_run")),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["record.id"],
            name=op.f("fk_record_source_id_record"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(["trash_id"], ["trash.id"], name=op.f("fk_record_trash_id_trash")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record")),
        sa.UniqueConstraint("uid", name=op.f("uq_record_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_record_blake3"), "record", ["blake3"], unique=False)
    op.create_index("ix_record_created_by", "record", ["created_by", "id"], unique=False)
    op.create_index("ix_record_dataset_newest", "record", ["dataset_id", "id"], unique=False)
    op.create_index(
        "ix_record_held",
        "record",
        ["project_id", "dataset_id", "tier", "trash_id", "nbytes"],
        unique=False,
        sqlite_where=sa.text("purged_at IS NULL"),
        postgresql_where=sa.text("purged_at IS NULL"),
    )
    op.create_index(op.f("ix_record_instrument_id"), "record", ["instrument_id"], unique=False)
    op.create_index(op.f("ix_record_mask_version_id"), "record", ["mask_version_id"], unique=False)
    op.create_index(op.f("ix_record_original_id"), "record", ["original_id"], unique=False)
    op.create_index("ix_record_project_newest", "record", ["project_id", "id"], unique=False)
    op.create_index(op.f("ix_record_run_id"), "record", ["run_id"], unique=False)
    op.create_index(op.f("ix_record_sha256"), "record", ["sha256"], unique=False)
    op.create_index(op.f("ix_record_source_id"), "record", ["source_id"], unique=False)
    op.create_index(op.f("ix_record_trash_id"), "record", ["trash_id"], unique=False)
    op.create_table(
        "document",
        sa.Column("record_id", BIG, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("channels", sa.Text(), server_default="", nullable=False),
        sa.Column("completeness", sa.Float(precision=53), nullable=True),
        sa.Column("missing", sa.Text(), server_default="", nullable=False),
        sa.Column("postings", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["record.id"], name=op.f("fk_document_record_id_record")
        ),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_document")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "link",
        sa.Column("dataset_id", BIG, nullable=False),
        sa.Column("record_id", BIG, nullable=False),
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("linked_by", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_link_dataset_id_dataset")
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_link_project_id_project")
        ),
        sa.ForeignKeyConstraint(
            ["record_id"], ["record.id"], name=op.f("fk_link_record_id_record")
        ),
        sa.PrimaryKeyConstraint("dataset_id", "record_id", name=op.f("pk_link")),
    )
    op.create_index("ix_link_project", "link", ["project_id", "record_id"], unique=False)
    op.create_index(op.f("ix_link_record_id"), "link", ["record_id"], unique=False)
    op.create_table(
        "note",
        sa.Column("project_id", BIG, nullable=False),
        sa.Column("dataset_id", BIG, nullable=True),
        sa.Column("record_id", BIG, nullable=True),
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", BIG, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_note_dataset_id_dataset")
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_note_project_id_project")
        ),
        sa.ForeignKeyConstraint(
            ["record_id"], ["record.id"], name=op.f("fk_note_record_id_record")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
        sa.UniqueConstraint("uid", name=op.f("uq_note_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_note_dataset_id"), "note", ["dataset_id"], unique=False)
    op.create_index(op.f("ix_note_project_id"), "note", ["project_id"], unique=False)
    op.create_index(op.f("ix_note_record_id"), "note", ["record_id"], unique=False)
    op.create_table(
        "reference",
        sa.Column("record_id", BIG, autoincrement=False, nullable=False),
        sa.Column("adoption", sa.String(length=36), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("path", sa.String(length=600), nullable=False),
        sa.Column("form", sa.String(length=8), nullable=False),
        sa.Column("nbytes", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("hashed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("form IN ('file', 'set', 'tree')", name=op.f("ck_reference_form")),
        sa.CheckConstraint(
            "state IN ('ok', 'changed', 'moved', 'missing')", name=op.f("ck_reference_state")
        ),
        sa.ForeignKeyConstraint(
            ["record_id"], ["record.id"], name=op.f("fk_reference_record_id_record")
        ),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_reference")),
        sqlite_autoincrement=False,
    )
    op.create_index(op.f("ix_reference_adoption"), "reference", ["adoption"], unique=False)
    op.create_index("uq_reference_place", "reference", ["root", "path"], unique=True)
    op.create_table(
        "run_input",
        sa.Column("run_id", BIG, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("image_id", BIG, nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["image_id"], ["record.id"], name=op.f("fk_run_input_image_id_record")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_input_run_id_run")),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("pk_run_input")),
    )
    op.create_index(op.f("ix_run_input_image_id"), "run_input", ["image_id"], unique=False)
    op.create_table(
        "subscription_match",
        sa.Column("subscription_id", BIG, nullable=False),
        sa.Column("record_id", BIG, nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("run_id", BIG, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('there', 'waiting', 'run', 'left')", name=op.f("ck_subscription_match_state")
        ),
        sa.ForeignKeyConstraint(
            ["record_id"], ["record.id"], name=op.f("fk_subscription_match_record_id_record")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_subscription_match_run_id_run")
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscription.id"],
            name=op.f("fk_subscription_match_subscription_id_subscription"),
        ),
        sa.PrimaryKeyConstraint("subscription_id", "record_id", name=op.f("pk_subscription_match")),
        sa.UniqueConstraint("run_id", name=op.f("uq_subscription_match_run_id")),
    )
    op.create_index(
        op.f("ix_subscription_match_record_id"), "subscription_match", ["record_id"], unique=False
    )
    op.create_index(
        "ix_subscription_match_state",
        "subscription_match",
        ["subscription_id", "state", "record_id"],
        unique=False,
    )
    op.create_table(
        "tag",
        sa.Column("id", BIG, nullable=False),
        sa.Column("record_id", BIG, nullable=False),
        sa.Column("term_id", BIG, nullable=False),
        sa.Column("value_id", BIG, nullable=True),
        sa.Column("number", sa.Float(precision=53), nullable=True),
        sa.Column("text", sa.String(length=80), nullable=True),
        sa.Column("source", sa.String(length=12), nullable=False),
        sa.Column("set_by", sa.String(length=120), nullable=False),
        sa.CheckConstraint(
            "source IN ('file', 'settings', 'instrument', 'person', 'mask', 'run')",
            name=op.f("ck_tag_source"),
        ),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name=op.f("fk_tag_record_id_record")),
        sa.ForeignKeyConstraint(["term_id"], ["term.id"], name=op.f("fk_tag_term_id_term")),
        sa.ForeignKeyConstraint(["value_id"], ["value.id"], name=op.f("fk_tag_value_id_value")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag")),
        sa.UniqueConstraint(
            "record_id", "term_id", "value_id", name=op.f("uq_tag_record_id_term_id_value_id")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_tag_number",
        "tag",
        ["term_id", "number", "record_id"],
        unique=False,
        sqlite_where=sa.text("number IS NOT NULL"),
        postgresql_where=sa.text("number IS NOT NULL"),
    )
    op.create_index(
        "uq_tag_number",
        "tag",
        ["record_id", "term_id"],
        unique=True,
        sqlite_where=sa.text("value_id IS NULL"),
        postgresql_where=sa.text("value_id IS NULL"),
    )
    for statement in FULL_TEXT[op.get_bind().dialect.name]:
        op.get_bind().exec_driver_sql(statement)


SQLITE = (
    "CREATE VIRTUAL TABLE document_words USING fts5(words, content='document', content_rowid='record_id', tokenize='unicode61 remove_diacritics 0', prefix='2 3 4')",
    "CREATE TRIGGER document_words_insert AFTER INSERT ON document BEGIN INSERT INTO document_words(rowid, words) VALUES (new.record_id, new.words); END",
    "CREATE TRIGGER document_words_delete AFTER DELETE ON document BEGIN INSERT INTO document_words(document_words, rowid, words) VALUES ('delete', old.record_id, old.words); END",
    "CREATE TRIGGER document_words_update AFTER UPDATE ON document WHEN old.words <> new.words BEGIN INSERT INTO document_words(document_words, rowid, words) VALUES ('delete', old.record_id, old.words);INSERT INTO document_words(rowid, words) VALUES (new.record_id, new.words); END",
    "CREATE VIRTUAL TABLE document_name USING fts5(name, content='document', content_rowid='record_id', tokenize='trigram case_sensitive 1')",
    "CREATE TRIGGER document_name_insert AFTER INSERT ON document BEGIN INSERT INTO document_name(rowid, name) VALUES (new.record_id, new.name); END",
    "CREATE TRIGGER document_name_delete AFTER DELETE ON document BEGIN INSERT INTO document_name(document_name, rowid, name) VALUES ('delete', old.record_id, old.name); END",
    "CREATE TRIGGER document_name_update AFTER UPDATE ON document WHEN old.name <> new.name BEGIN INSERT INTO document_name(document_name, rowid, name) VALUES ('delete', old.record_id, old.name);INSERT INTO document_name(rowid, name) VALUES (new.record_id, new.name); END",
)
POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "ALTER TABLE document ADD COLUMN vector tsvector GENERATED ALWAYS AS (array_to_tsvector(string_to_array(words, ' '))) STORED",
    "CREATE INDEX ix_document_vector ON document USING gin (vector)",
    "CREATE INDEX ix_document_name ON document USING gin (name gin_trgm_ops)",
)
FULL_TEXT = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
