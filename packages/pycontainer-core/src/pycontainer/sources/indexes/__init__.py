"""Python indexes: which there are, who we are to them, and where a locked file is.

settings = load_index_settings(root, environment=os.environ, stated=lock.indexes)
credentials = IndexCredentials(settings, environment=os.environ)
lookup = IndexLookup(settings, IndexPages(http, authorize=credentials.headers))
lookup.locate(artifact).url
"""

from pycontainer.sources.indexes.credentials import IndexCredentials
from pycontainer.sources.indexes.lookup import IndexLookup
from pycontainer.sources.indexes.model import Index, IndexSettings, User
from pycontainer.sources.indexes.settings import load_index_settings

__all__ = ["Index", "IndexCredentials", "IndexLookup", "IndexSettings", "User", "load_index_settings"]
