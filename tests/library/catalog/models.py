from __future__ import annotations

from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=100)


class Book(models.Model):
    title = models.CharField(max_length=200, db_index=True)
    isbn = models.CharField(max_length=13, unique=True)
    authors = models.ManyToManyField(Author, related_name="books")
    pages = models.PositiveIntegerField(null=True)


class Copy(models.Model):
    book = models.ForeignKey(Book, on_delete=models.CASCADE, related_name="copies")
    shelf_mark = models.CharField(max_length=20)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["book", "shelf_mark"], name="one_copy_per_shelf_mark")]
