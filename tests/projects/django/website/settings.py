"""Settings of a site with one page and no database."""

import os

SECRET_KEY = os.environ.get("SECRET_KEY", "only-for-tests")
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "website.urls"
INSTALLED_APPS = ["notes"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
USE_TZ = True
WSGI_APPLICATION = "website.wsgi.application"
