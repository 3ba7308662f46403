"""Runbooks for Django migrations in which every command is proven."""
