"""Files that offices upload, while they are being received."""

import tempfile

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler


class NamelessUploadHandler(FileUploadHandler):
    """Large files go to the disk without a name. Django's own handler gives them one, and where a worker is killed in the
    middle the ID numbers of an office's file would stay in the folder for temporary files."""

    def new_file(self, *args: object, **kwargs: object) -> None:
        """Begin one; UploadedFile counts nothing itself, its size is known at the end."""
        super().new_file(*args, **kwargs)
        self.file = UploadedFile(
            tempfile.TemporaryFile(),  # noqa: SIM115 - closed with the request
            self.file_name,
            self.content_type,
            0,
            self.charset,
            self.content_type_extra,
        )

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Give nothing on: this handler is the last."""
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        """What the view reads."""
        self.file.seek(0)
        self.file.size = file_size
        return self.file

    def upload_interrupted(self) -> None:
        """Whoever sent it has gone."""
        if hasattr(self, "file"):
            self.file.close()
