"""Stands here so that pytest puts this folder on the import path: tests in any room can import `make_media`."""
