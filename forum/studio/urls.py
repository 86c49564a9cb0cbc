from django.urls import path

from forum.studio import metrics, views

urlpatterns = [
    path("studio/", views.studio, name="studio"),
    path("studio/presets/<slug:name>/", views.switch, name="studio-preset"),
    path("studio/presets/", views.switch_all, name="studio-presets"),
    path("studio/workers/", views.worker, name="studio-worker"),
    path("studio/failures/", views.retry, name="studio-retry"),
    path("metrics", metrics.metrics, name="metrics"),
]
