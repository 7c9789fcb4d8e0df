"""One file per image or label format: bytes on disk to arrays and regions."""
