"""No page of a published project is asked for."""

urlpatterns = []
