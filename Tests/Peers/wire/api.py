"""What the declarations of the messages are made of."""

from . import schema


class Api:
    """One API: its key, the versions that Millrace advertises and serves, and its two messages."""

    def __init__(self, key, name, versions, flexible, request, response, advertised=None):
        self.key, self.name, self.versions, self.flexible = key, name, versions, flexible
        self.advertised = advertised or versions
        self.request, self.response = schema.parse(request), schema.parse(response)

    def is_flexible(self, version):
        return version >= self.flexible

    def __repr__(self):
        return self.name
