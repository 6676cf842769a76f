"""Notices: what a person is told of without having asked, here and by mail."""
