import gzip
from pathlib import Path

import numpy as np
import pytest
from places import DATA

from emoscope.data.cremad import Clip, load_logmels
from emoscope.data.votes import distribution, perceived, votes
from emoscope.errors import DataError

CLIPS = [Clip.parse("1001_IEO_NEU_XX"), Clip.parse("1001_IEO_HAP_LO")]
TABLE = """"","A","D","F","H","N","S","fileName"
"100001",0,0,0,1,10,0,"1001_IEO_NEU_XX"
"200001",0,0,0,0,0,9,"1001_IEO_NEU_XX"
"300001",1,2,3,4,5,6,"1001_IEO_NEU_XX"
"""


def write(folder: Path, text: str = TABLE, packed: bool = False) -> None:
    (folder / "AudioWAV").mkdir(parents=True, exist_ok=True)
    path = folder / ("tabulatedVotes.csv.gz" if packed else "tabulatedVotes.csv")
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())


@pytest.mark.parametrize("packed", [False, True])
def test_counts_the_raters_of_each_channel(packed: bool, tmp_path: Path) -> None:
    write(tmp_path, packed=packed)
    assert votes(tmp_path, CLIPS).tolist() == [[0, 0, 0, 1, 10, 0], [0] * 6]
    assert votes(tmp_path, CLIPS, "face")[0].tolist() == [0, 0, 0, 0, 0, 9]
    assert votes(tmp_path, CLIPS, "both")[0].tolist() == [1, 2, 3, 4, 5, 6]


def test_finds_the_table_among_the_processed_results(tmp_path: Path) -> None:
    write(tmp_path / "processedResults")
    (tmp_path / "AudioWAV").mkdir()
    assert votes(tmp_path, CLIPS).sum() == 11


def test_says_what_is_missing_or_wrong(tmp_path: Path) -> None:
    (tmp_path / "AudioWAV").mkdir()
    with pytest.raises(DataError, match=r"expected tabulatedVotes\.csv"):
        votes(tmp_path, CLIPS)
    for text in ('"","A"\n"1",2\n', TABLE.replace(",10,", ",ten,"), "version https://git-lfs\n1\n"):
        write(tmp_path, text)
        with pytest.raises(DataError, match="is not CREMA-D's table of votes"):
            votes(tmp_path, CLIPS)
    (tmp_path / "tabulatedVotes.csv").unlink()
    (tmp_path / "tabulatedVotes.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(DataError, match="is not CREMA-D's table of votes"):
        votes(tmp_path, CLIPS)


def test_what_is_perceived_has_the_most_votes_alone() -> None:
    counts = np.array([[0, 5, 1], [3, 3, 0], [0, 0, 0], [2, 1, 1]])
    assert perceived(counts).tolist() == [1, -1, -1, 0]


def test_targets_lie_between_the_acted_and_the_heard() -> None:
    counts, labels = np.array([[0, 6, 2], [0, 0, 0]]), np.array([0, 2])
    np.testing.assert_allclose(distribution(counts, labels, 0.0), [[1, 0, 0], [0, 0, 1]])
    np.testing.assert_allclose(distribution(counts, labels, 1.0), [[0, 0.75, 0.25], [0, 0, 1]])
    np.testing.assert_allclose(distribution(counts, labels, 0.5), [[0.5, 0.375, 0.125], [0, 0, 1]])


def test_raters_heard_what_was_acted_in_two_of_five_cases() -> None:
    if not (DATA / "cremad" / "logmel_validation.npz").exists() or not list((DATA / "cremad").glob("tabulated*")):
        pytest.skip(f"no CREMA-D votes in {DATA}")
    clips = load_logmels(DATA, "validation")
    counts = votes(DATA, clips.clips)
    assert counts.sum(1).min() >= 4
    share = counts[np.arange(len(clips.labels)), clips.labels].sum() / counts.sum()
    assert 0.35 < share < 0.45
