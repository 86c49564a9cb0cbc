"""Table of contents: every table of the house, room by room."""

from forum.beginnings.models import Beginning
from forum.boards.models import Board, Decision, Membership, Word
from forum.drafts.models import Draft, Take
from forum.films.models import Film
from forum.images.models import Descent, File, Image
from forum.links.models import (
    Duplicate,
    EmbeddingWf1,
    LinkVote,
    Neighbours,
    Scale,
    SimilarityLink,
)
from forum.looks.models import Looks
from forum.masks.models import Mask
from forum.measures.models import NullAnswer
from forum.members.models import Allowance, IdempotencyKey, Invitation, Member, Token
from forum.reruns.models import Rerun
from forum.threads.models import Reading, Reply, Thread

__all__ = [
    "Allowance",
    "Beginning",
    "Board",
    "Decision",
    "Descent",
    "Draft",
    "Duplicate",
    "EmbeddingWf1",
    "File",
    "Film",
    "IdempotencyKey",
    "Image",
    "Invitation",
    "LinkVote",
    "Looks",
    "Mask",
    "Member",
    "Membership",
    "Neighbours",
    "NullAnswer",
    "Reading",
    "Reply",
    "Rerun",
    "Scale",
    "SimilarityLink",
    "Take",
    "Thread",
    "Word",
    "Token",
]
