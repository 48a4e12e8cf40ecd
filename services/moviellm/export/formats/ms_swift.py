"""ms-swift: one JSON a line; its ROOT_IMAGE_DIR, or the folder it is started in, is the dataset's folder."""

from moviellm.export.conversation import Conversations
from moviellm.export.format import Desk, Format
from moviellm.export.messages import message_shapes


def open_format(desk: Desk) -> Format:
    """formats/ms_swift/train.jsonl with videos, train_frames.jsonl with the frames that prove each answer."""
    return Conversations(desk, "ms_swift", message_shapes(desk.most_pictures, lines=True))
