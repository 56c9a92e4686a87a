"""Bad input against Quorate: an answer or a clean close as specified, never a crash, and a clean restart afterwards.

Against Apache this file is expected to fail: it is the list of what Apache gets wrong, beside what it gets right.
"""

import random

import bad_frames
import bad_requests
import rawzk
from dumping import differences, dump
from harness import run
from servers import SUPER_DIGEST

SEED = 7


def random_records(server):
    bad_requests.random_records(server, random.Random(SEED))


def mutated_records(server):
    bad_requests.mutated_records(server, random.Random(SEED))


def garbage_from_strangers(server):
    bad_frames.garbage_from_strangers(server, random.Random(SEED))


def garbage_in_sessions(server):
    bad_frames.garbage_in_sessions(server, random.Random(SEED))


def clean_restart(server):
    """The directory that all this has left is read back exactly, after an orderly stop and after a kill."""
    for end in (server.stop, server.kill):
        before = dump(server.address)
        end()
        server.start()
        lines = differences(before, dump(server.address))
        assert not lines, "\n".join(lines[:10])
    assert rawzk.four_letter_word(server.address, b"ruok") == b"imok"


TESTS = [
    bad_requests.create_ttl_without_ttl_flags, bad_requests.garbage_in_quota_nodes, bad_requests.garbage_created_as_stats,
    bad_requests.delete_container_from_a_client, bad_requests.create_session_from_a_client, bad_requests.check_at_top_level,
    bad_requests.wrong_password_cuts_nobody, bad_requests.undecodable_writes_and_zxids, bad_requests.container_flag_on_plain_create,
    bad_requests.filtered_event_uses_the_watch_up, bad_requests.text_beyond_the_basic_plane, bad_requests.every_record_cut_everywhere,
    bad_requests.impossible_lengths, bad_requests.nulls, bad_requests.long_paths, bad_requests.multis_of_many_kinds,
    random_records, mutated_records,
    bad_frames.frame_lengths, bad_frames.frames_too_short, bad_frames.broken_handshakes, bad_frames.second_handshake,
    bad_frames.words_after_the_handshake, bad_frames.unknown_words, bad_frames.every_word_answers, bad_frames.one_byte_at_a_time,
    bad_frames.silent_strangers, bad_frames.promised_frames, bad_frames.replies_nobody_reads, bad_frames.requests_behind_close,
    bad_frames.watches_of_a_refused_session, bad_frames.watches_of_dead_connections, garbage_from_strangers, garbage_in_sessions,
    clean_restart,
]

SETTINGS = {"nio.sessionlessCnxnTimeout": "1000", "DigestAuthenticationProvider.superDigest": SUPER_DIGEST, "enforceQuota": "true"}

if __name__ == "__main__":
    run(__doc__, TESTS, SETTINGS)
