"""What is counted of a device for the operator's page and for monitors."""

from generation.worker.tallies import Tally


def test_nothing_is_said_of_what_was_not_measured():
    about = Tally().about()
    assert not {"preview_lag_ms", "outside_denoiser"} & set(about)
    assert about["spent"] == {}


def test_time_outside_the_denoiser_is_a_share_of_the_whole_batch():
    tally = Tally()
    tally.note_spent({"encode": 0.5, "denoise": 8.0, "decode": 0.5, "other": 1.0})
    assert tally.about()["outside_denoiser"] == 0.2
    tally.note_spent({"denoise": 10.0, "other": 0.0})
    assert tally.about()["outside_denoiser"] == 0.16, "newer ones count for a fifth"
    assert tally.about()["spent"]["denoise"] == 18.0


def test_an_engine_without_stages_has_no_such_share():
    tally = Tally()
    tally.note_spent({})
    tally.note_spent({"other": 3.0})
    assert "outside_denoiser" not in tally.about()


def test_the_lag_of_previews_is_a_mean_in_milliseconds():
    tally = Tally()
    for seconds in (0.1, 0.2):
        tally.note_lag(seconds)
    assert tally.about()["preview_lag_ms"] == 120
