"""The command line: one short function a command. Everything heavy is imported when it is used."""

import errno
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from .errors import EmoscopeError, missing_extra
from .options import KNOWN, LIMITS, MODEL, MODELS, OBSERVING, READING, observe_options, with_options


class _Group(click.Group):
    """Prints what the user can mend as one line and exits with status 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EmoscopeError as error:
            click.echo(f"emoscope: {_one_line(str(error))}", err=True)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # click ends quietly where nobody reads on
            click.echo(f"emoscope: {_one_line(str(error))}", err=True)
        except MemoryError:
            click.echo("emoscope: not enough memory for this input", err=True)
        return ctx.exit(2)


def _one_line(text: str) -> str:
    """The text without line breaks and control characters: a file's name may hold any."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="emoscope")
def main() -> None:
    """Emotion from faces and voices: one calibrated timeline, per person.

    \b
    Example:
        emoscope analyze interview.mp4 --out interview
    """


@main.command()
@click.argument("path", metavar="INPUT", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for the results [default: INPUT's name + -emoscope]."
)
@with_options(OBSERVING)
@with_options(MODELS)
@with_options(READING)
@with_options(KNOWN)
@click.option("--video/--no-video", default=True, help="Whether to write annotated.mp4 for a video.")
@click.option("--joined", is_flag=True, help="Read the files of a folder as one recording, one after the other.")
@click.option("--force", is_flag=True, help="Replace the results of another recording in --out.")
def analyze(path: Path, out: Path | None, video: bool, joined: bool, **options: Any) -> None:
    """Read the emotions in INPUT: a video, a sound file or a picture, or with --joined a folder of them.

    Writes timeline.csv, summary.json, report.html, evidence.sqlite and, for a video, annotated.mp4; timeline.parquet
    too where the extra `parquet` is installed. Interrupted, the same command goes on from where it was.

    \b
    Example:
        emoscope analyze interview.mp4 --out interview
    """
    from rich.console import Console

    from .analysis import analyze as run
    from .models import card
    from .outputs import check_folder, write_pictures, write_tables
    from .report.terminal import show_summary

    out = out or Path(f"{(Path.cwd() / path).stem}-emoscope")  # of a link, its own name
    with _progress("looking and listening") as progress:
        if not path.exists():
            raise EmoscopeError(f"{path}: there is no such file or folder")
        if path.is_dir() and not joined:
            raise EmoscopeError(
                f"{path}: is a folder; analyze its files one by one with: emoscope study {path} --out STUDY, or as one "
                "recording with --joined"
            )
        check_folder(out)
        chosen = observe_options(options)
        if path.is_dir() and (chosen.start or chosen.end is not None):
            raise EmoscopeError("--start and --end are of one recording, not of a folder")
        timeline = run(path, out=out, options=chosen, progress=progress, **options)
    if not video and timeline.info["kind"] == "video":
        timeline.info["left_out"].append("annotated.mp4")
    files = write_tables(timeline, out)
    cards = [card(options[f"{name}_model"]) for name in timeline.info["models"]]
    with _progress("drawing") as progress:
        files += write_pictures(timeline, path, out, progress, cards, video)
    show_summary(timeline, files, Console())
    if damaged := timeline.info["damaged"]:
        raise EmoscopeError(f"{damaged[0]}; what was computed is in {out}")


@main.command()
@click.argument("out", metavar="FOLDER", type=click.Path(path_type=Path))
@with_options(READING)
@with_options(KNOWN)
def read(out: Path, **reading: Any) -> None:
    """Read the evidence in FOLDER, which `emoscope analyze` wrote, anew: table, summary and page.

    The recording is not looked at again.

    \b
    Example:
        emoscope read interview --smoothing none
    """
    from rich.console import Console

    from .analysis import read as run
    from .models import cards_of
    from .outputs import kept_frames, write_report, write_tables
    from .report.terminal import show_summary

    timeline = run(out, **reading)
    files = write_tables(timeline, out)
    files.append(write_report(timeline, out, kept_frames(out), cards_of(timeline.info["models"].values())))
    show_summary(timeline, files, Console())


@main.command()
@click.argument("out", metavar="FOLDER", type=click.Path(path_type=Path))
@click.argument("correction", metavar="[CORRECTION]", nargs=-1)
def persons(out: Path, correction: tuple[str, ...]) -> None:
    """Show who is who in FOLDER, which `emoscope analyze` wrote, or correct it; `emoscope read` then applies it.

    \b
    Corrections:
        name 1 Anna         call person 1 Anna
        merge 2 5           person 5 is person 2
        split 3 at 0:41     from there on, person 3 is somebody else
        drop 4              person 4 is nobody: leave them out
        same-as 3 OTHER@1   person 3 is person 1 of the folder OTHER, and has the same name
        undo                take back the last correction

    \b
    Example:
        emoscope persons interview
        emoscope persons interview name 1 Anna
        emoscope read interview
    """
    from rich.console import Console

    from .persons import Persons
    from .reading.corrections import Correction
    from .report.terminal import show_persons

    people = Persons(out)
    match correction:
        case ():
            pass
        case ("undo",):
            click.echo(f"took back: {people.undo().do}")
        case ("same-as", person, other) if person.isdecimal() and other.rpartition("@")[2].isdecimal():
            folder, _, number = other.rpartition("@")
            people.same_as(int(person), folder, int(number))
        case _:
            people.correct(Correction.parse(correction))
    show_persons(people.table(), people.notes(), Console())
    if correction:
        click.echo(f"to apply it: emoscope read {out}")


@main.command()
@click.argument("paths", metavar="PATHS...", nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the study.")
@click.option("--workers", type=click.IntRange(1), help="Processes [default: one for each core].")
@click.option("--ray", metavar="ADDRESS", help="Work on a Ray cluster: its address, auto, or local to start one here.")
@with_options(OBSERVING)
@with_options(MODELS)
@with_options(READING)
@with_options(KNOWN)
@click.option("--video/--no-video", default=False, show_default=True, help="Whether to write the annotated videos.")
@click.option("--force", is_flag=True, help="Analyze anew what was analyzed with other settings.")
def study(
    paths: tuple[str, ...],
    out: Path,
    workers: int | None,
    ray: str | None,
    video: bool,
    force: bool,
    **analysis: Any,
) -> None:
    """Analyze many recordings: files, folders with all below them, globs, or a csv.

    A csv has the column path, and then any: person says whose recording it is, others, such as condition, can be
    compared with `emoscope compare`. Each recording gets a folder in STUDY/recordings; over all there are
    recordings.csv, timeline.parquet (or .csv) and index.html; pictures have a row each in pictures.csv. Interrupted,
    the same command goes on from where it was.

    \b
    Example:
        emoscope study interviews --out study
        emoscope study interviews.csv --out study --workers 2
    """
    from .study.study import study as run
    from .study.work import Settings

    settings = Settings(observe_options(analysis), video, analysis)
    try:
        with _progress("analyzing", "recordings") as progress:
            outcome = run(paths, out, settings, workers, ray, force, progress)
    except KeyboardInterrupt:
        raise EmoscopeError(f"interrupted; what is finished is in {out}, and the same command goes on") from None
    for name, reason in outcome.failed.items():
        click.echo(f"passed over {_one_line(name)}: {_one_line(reason)}", err=True)
    for file in outcome.files:
        click.echo(f"wrote {file}")
    click.echo(f"{outcome.done} of {outcome.done + len(outcome.failed)} recordings and pictures are analyzed")
    if not outcome.done:
        raise EmoscopeError("none of them could be read")


@main.command()
@click.argument("folder", metavar="STUDY", type=click.Path(path_type=Path))
@click.option("--by", required=True, metavar="COLUMN", help="Which of your columns in recordings.csv to compare by.")
@click.option("--source", type=click.Choice(["fused", "face", "voice"]), default="fused", show_default=True,
              help="Whose scores.")  # fmt: skip
def compare(folder: Path, by: str, source: Any) -> None:
    """Compare the conditions of STUDY: means and differences with 95 % intervals over persons.

    Writes compare-COLUMN.csv (differences), compare-COLUMN-means.csv, a figure, and a paragraph that says what was
    found, of how many, and what it does not show. Needs the extra: pip install 'emoscope[study]'.

    \b
    Example:
        emoscope compare study --by condition
    """
    from .study.compare import compare as run
    from .study.compare import write

    found = run(folder, by, source)
    files = write(found, folder)
    click.echo(found.words)
    for file in files:
        click.echo(f"wrote {file}")


@main.command()
@click.argument("folder", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--to", required=True, help="The program's format.",
              type=click.Choice(["elan", "textgrid", "srt", "vtt", "rttm", "csv", "parquet"]))  # fmt: skip
@click.option("--file", "path", type=click.Path(path_type=Path), help="The file [default: OUT/timeline + suffix].")
def export(folder: Path, to: Any, path: Path | None) -> None:
    """Write the timeline in OUT, which `emoscope analyze` wrote, for ELAN, Praat, players and statistics programs.

    elan, textgrid, srt and vtt have a tier for each person, rttm says who speaks when. The first four need the extra:
    pip install 'emoscope[export]'.

    \b
    Example:
        emoscope export interview --to elan
    """
    from .export.export import export as run

    click.echo(f"wrote {run(folder, to, path)}")


@main.command()
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The file to write.")
@click.option("--person", type=click.IntRange(1), help="Whose [default: the only one's].")
@with_options(KNOWN)
def profile(folder: Path, out: Path, person: int | None, **known: Any) -> None:
    """Save the baseline of a person from FOLDER, which `emoscope analyze` wrote, for other recordings of them.

    The file is biometric data: it says how a person looks and sounds at rest.

    \b
    Example:
        emoscope profile monday --person 1 --neutral 0:05-0:35 --out anna.json
        emoscope analyze tuesday.mp4 --baseline anna.json
    """
    from .analysis import save_profile

    saved = save_profile(folder, out, person=person, **known)
    for name, one in saved.known.items():
        click.echo(f"{name}: from {one.seconds:.1f} s ({one.model})")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def models(as_json: bool) -> None:
    """List the models that are shipped.

    \b
    Example:
        emoscope models --json
    """
    from .models import summaries
    from .report.metrics import show_models

    if as_json:
        click.echo(json.dumps(summaries(), indent=2))
    else:
        show_models(summaries())


@main.command()
@click.argument("model")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder that holds ferplus/ or cremad/, or your own data.",
)
@click.option("--split", type=click.Choice(["train", "validation", "test"]), required=True)
@click.option("--protocol", help="FER+: majority, plurality, five or seven; CREMA-D: tfds or perceived; its clips: "
              "tfds or tfds-three; your own: recordings, folders or clips [default: the first].")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def evaluate(model: str, data: Path, split: str, protocol: str | None, as_json: bool) -> None:
    """Measure MODEL (a name, a path, or face, voice or sequence) on a data set.

    Prints accuracy with its 95 % interval, recall of each class, macro F1, calibration error and the confusion matrix.

    \b
    Example:
        emoscope evaluate face --data DATA --split validation
    """
    from .report.metrics import show_evaluation
    from .training.evaluate import evaluate as run

    metrics = run(model, data, split, protocol)
    if as_json:
        click.echo(json.dumps(metrics))
    else:
        show_evaluation(metrics)


@main.command()
@click.argument("clips", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the sequences.")
@click.option("--labels", type=click.Path(path_type=Path), help="A csv with the columns path, label, person "
              "[default: by CREMA-D's or RAVDESS's file names].")  # fmt: skip
@click.option("--workers", type=click.IntRange(1), help="Processes [default: one for each core].")
def prepare(clips: Path, out: Path, labels: Path | None, workers: int | None) -> None:
    """Make face sequences from CLIPS, a folder of labelled video clips, to train sequence models on.

    Writes NAME.npz for each clip, clips.csv and preview.mp4. Clips that are there already are kept.

    \b
    Example:
        emoscope prepare DATA/cremad --out DATA/cremad/sequences
        emoscope prepare clips --labels clips/labels.csv --out sequences
    """
    from .data.clips import labelled_sources
    from .data.prepare import prepare as run

    sources = labelled_sources(clips, labels)
    with _progress("looking for faces", "clips") as progress:
        failures = run(sources, out, workers, progress)
    for failure in failures:
        click.echo(f"passed over {_one_line(failure)}", err=True)
    click.echo(f"{len(sources) - len(failures)} of {len(sources)} clips are in {out}; look at {out / 'preview.mp4'}")


@main.group()
def research() -> None:
    """Rebuild the data of the published system that emoscope grew out of; `python -m research` measures it."""


@research.command()
@click.argument("clips", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new folder for the faces.")
@click.option("--labels", type=click.Path(path_type=Path), help="A csv with the columns path, label, person "
              "[default: by CREMA-D's or RAVDESS's file names].")  # fmt: skip
@click.option("--workers", type=click.IntRange(1), help="Processes [default: one for each core].")
def faces(clips: Path, out: Path, labels: Path | None, workers: int | None) -> None:
    """Cut faces out of CLIPS, a folder of labelled video clips, to add to an emotion that has few.

    Writes the faces of each emotion, the best first and none twice; contact sheets to look through, EMOTION-1.png ...;
    and EMOTION.txt, the numbers that are picked: edit it. Then: emoscope research dataset enhanced.

    \b
    Example:
        emoscope research faces DATA/cremad --out FACES
        emoscope research faces clips --labels clips/labels.csv --out FACES
    """
    from .data.candidates import find
    from .data.clips import labelled_sources
    from .data.picks import check, write

    check(out)
    sources = labelled_sources(clips, labels)
    with _progress("looking for faces", "clips") as progress:
        found, failures = find(sources, workers, progress)
    for failure in failures:
        click.echo(f"passed over {_one_line(failure)}", err=True)
    for emotion, (candidates, picked) in write(found, out).items():
        click.echo(f"{emotion}: {candidates} faces, {picked} picked; look at {out / emotion}-1.png")


@research.command()
@click.argument("name", metavar="five|seven|enhanced", type=click.Choice(["five", "seven", "enhanced"]))
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder that holds ferplus/.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new folder for the set.")
@click.option("--faces", "picked", type=click.Path(path_type=Path),
              help="For enhanced: the folder that `emoscope research faces` made.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed chooses other faces.")
def dataset(name: str, data: Path, out: Path, picked: Path | None, seed: int) -> None:
    """Build one of the reference system's sets of faces from FER+, and count it.

    \b
    five      anger, happiness, neutral, sadness and surprise, at most 2,466 of each to train on and 325 to test on
    seven     with disgust and fear, as rare as they are
    enhanced  with disgust filled up to 550 and fear to 998 training faces, from clips

    Writes SPLIT/EMOTION/*.png, images.csv and counts.csv.

    \b
    Example:
        emoscope research dataset five --data DATA --out sets/five
        emoscope research dataset enhanced --data DATA --faces FACES --out sets/enhanced
    """
    from .data.face_sets import differences, shortfalls, write
    from .report.metrics import show_counts

    with _progress("writing", "faces") as progress:
        counts = write(data, name, out, picked, seed, progress)
    show_counts(counts)
    for line in shortfalls(counts) if name == "enhanced" else ():
        click.echo(line)
    here = {count.split for count in counts}
    for split in ("train", "validation", "test"):
        if split not in here:
            click.echo(f"no {split} set: its faces are not in {data}")
    if wrong := differences(counts):
        raise EmoscopeError(f"FER+ is not as published: {'; '.join(wrong)}; what was built is in {out}")
    click.echo(f"{sum(count.images for count in counts):,} faces in {out}")


@main.command()
@click.argument("recipe")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder that holds ferplus/ or cremad/.")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder for checkpoints, curves and the model."
)
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in --out.")
@click.option("--epochs", type=click.IntRange(1), help="Train for fewer or more epochs than the recipe.")
@click.option("--seed", type=int, help="Another seed than the recipe's.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), help="[default: cuda where there is one]")
@click.option("--teacher", "teachers", type=click.Path(path_type=Path), multiple=True,
              help="A trained model (.onnx) to learn from beside the labels; may be given several times.")  # fmt: skip
@click.option("--start", type=click.Path(path_type=Path),
              help="Folder of an earlier training of the same network, or its .onnx file, to go on from.")  # fmt: skip
@click.option("--config", type=click.Path(path_type=Path), help="A yaml of other settings than the recipe's.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE",
              help="One other setting, as batch=64; may be given several times, and goes before --config.")  # fmt: skip
def train(
    recipe: str,
    data: Path,
    out: Path,
    resume: bool,
    epochs: int | None,
    seed: int | None,
    device: str | None,
    teachers: tuple[Path, ...],
    start: Path | None,
    config: Path | None,
    pairs: tuple[str, ...],
) -> None:
    """Train RECIPE and export it with its card. Needs the extra: pip install 'emoscope[train]'.

    \b
    Recipes: docs/train-a-model.md says what each is.
        faces      face-ferplus, face-ferplus-wide, face-ferplus-vgg, face-ferplus-compact-poor, face-ferplus-compact,
                   face-compact
        voices     voice-single, voice-cremad, voice-taught, voice-perceived
        sequences  sequence-cremad
        your own   voice-folder, face-folder, sequence-clips
        reference  reference-mfcc, reference-mel, reference-best, reference-mfcc-random, reference-mfcc-sentences

    \b
    Example:
        emoscope train face-ferplus --data DATA --out runs/face
        emoscope train face-ferplus --data DATA --out runs/slow --set rate=0.001 --set batch=64
    """
    try:
        from .training.changes import read
        from .training.run import train as run
    except ModuleNotFoundError as error:
        raise missing_extra("training", error.name or "a package", "train") from None
    changes = read(config, pairs)
    run(
        recipe, data, out,
        resume=resume, epochs=epochs, seed=seed, device=device, teachers=teachers, start=start, changes=changes,
    )  # fmt: skip


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
def runs(folder: Path) -> None:
    """Compare the trainings in FOLDER: a table, and runs.csv and runs.svg in it, with the curves of all.

    \b
    Example:
        emoscope runs runs
    """
    from .report.metrics import show_runs

    try:
        from .training.runs import find, table, write

        found = find(folder)
        paths = write(found, folder)
    except ModuleNotFoundError as error:
        raise missing_extra("comparing trainings", error.name or "a package", "train") from None
    show_runs(table(found))
    click.echo("\n".join(f"wrote {path}" for path in paths))


@main.command()
@click.argument("model")
@click.option("--data", type=click.Path(path_type=Path), required=True,
              help="A folder of labelled clips; for a voice model, or the folder that holds cremad/.")  # fmt: skip
@click.option("--labels", type=click.Path(path_type=Path), help="A csv with the columns path, label, person "
              "[default: by CREMA-D's or RAVDESS's file names].")  # fmt: skip
def population(model: str, data: Path, labels: Path | None) -> None:
    """Measure how MODEL's logits vary over people, from labelled recordings of many, and write it into its card.

    That is what `emoscope analyze` needs to read everybody against their own baseline.

    \b
    Example:
        emoscope population face --data DATA/cremad
        emoscope population runs/mine/mine.onnx --data clips --labels clips/labels.csv
    """
    from .training.population import population as run

    with _progress("looking and listening", "clips") as progress:
        made = run(model, data, labels, progress)
    click.echo(made.made_by)


@research.command()
@click.argument("folder", metavar="INPUT", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the new files.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed draws other changes.")
def augment(folder: Path, out: Path, seed: int) -> None:
    """Make eight of each recording in the folder INPUT: with noise, stretch and shift in all combinations.

    Writes NAME-original.wav, NAME-noise.wav ... NAME-noise-stretch-shift.wav and changes.csv, which says what was done.
    Needs the extra: pip install 'emoscope[train]'.

    \b
    Example:
        emoscope research augment AudioWAV --out AudioWAV-eightfold
    """
    from .data.eightfold import write_versions

    try:
        with _progress("changing", "recordings") as progress:
            written = write_versions(folder, out, seed, progress)
    except ModuleNotFoundError as error:
        raise missing_extra("this", error.name or "a package", "train") from None
    click.echo(f"{written} files in {out}")


@main.command()
@click.argument("folder", metavar="RESULTS", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The page [default: the folder's name + .html].")
def report(folder: Path, out: Path | None) -> None:
    """Show a folder of results as one page: every table with its command, and every picture.

    RESULTS is a folder, or the name of one in results/.

    \b
    Example:
        emoscope report face
        emoscope report results/voices --out voices.html
    """
    from .report.results import write_results

    here = folder if folder.is_dir() else "results" / folder
    page = out or Path(f"{here.resolve().name}.html")
    try:
        written = write_results(here, page)
    except ModuleNotFoundError as error:
        raise missing_extra("a page of results", error.name or "a package", "train") from None
    click.echo(f"{written} tables and pictures in {page}")


@main.command()
@click.option("--camera", default="0", show_default=True, help="Its number, or the path of a device or a video.")
@click.option("--no-camera", is_flag=True, help="Do not look.")
@click.option("--no-microphone", is_flag=True, help="Do not listen.")
@click.option("--face-model", default="face", show_default=True, help=f"{MODEL}.")
@click.option("--voice-model", default="voice", show_default=True, help=f"{MODEL}.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True,
              help="Where the models run.")  # fmt: skip
def watch(camera: str, no_camera: bool, no_microphone: bool, **models: Any) -> None:
    """Read emotions from the camera and the microphone of this machine in the terminal, until Ctrl+C.

    Nothing is stored. Listening needs the extra: pip install 'emoscope[watch]'.

    \b
    Example:
        emoscope watch --no-microphone
    """
    from rich.console import Console

    from .capture import Live
    from .report.terminal import show_live
    from .session import Session

    if no_camera and no_microphone:
        raise EmoscopeError("--no-camera and --no-microphone leave nothing to watch")
    session = Session(faces=not no_camera, voice=not no_microphone, **models)
    chosen = None if no_camera else int(camera) if camera.isdecimal() else camera
    with Live(chosen, not no_microphone, session) as stream, suppress(KeyboardInterrupt):
        show_live(stream, Console())


@main.command(context_settings={"auto_envvar_prefix": "EMOSCOPE_LIVE"})
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8765, show_default=True, type=click.IntRange(0, 65535), help="0: any free one.")
@click.option("--token-file", type=click.Path(path_type=Path),
              help="TOML: a table [NAME] a client, with its token, and streams and analyses at once.")  # fmt: skip
@click.option("--insecure", is_flag=True, help="Let others reach the server without tokens.")
@click.option("--allow-origin", multiple=True, metavar="ORIGIN",
              help="Pages elsewhere that may use it, as https://app.example; may be repeated.")  # fmt: skip
@click.option("--allow-url", multiple=True, metavar="URL",
              help="Beginning of addresses from which recordings may be fetched; may be repeated.")  # fmt: skip
@click.option("--tls-cert", type=click.Path(path_type=Path), help="PEM file of the certificate and those above it.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="PEM file of its key.")
@click.option("--face-model", default="face", show_default=True, help=f"{MODEL}.")
@click.option("--voice-model", default="voice", show_default=True, help=f"{MODEL}.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True,
              help="Where the models run.")  # fmt: skip
@click.option("--jobs", type=click.Path(path_type=Path),
              help="Folder of the analyses under /v1, which then survive a restart "
              "[default: a temporary one].")  # fmt: skip
@click.option("--log", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="Warnings alone, or a line of JSON a request too; nothing personal.")  # fmt: skip
@with_options(LIMITS)
def live(token_file: Path | None, **options: Any) -> None:
    """Serve a page that reads emotions from the camera and the microphone, and an API for programs.

    Nothing leaves this machine. Of what the page sends nothing is stored; what programs send to /v1/analyses is kept
    for as long as --keep says. Every option can be given as an environment variable, as EMOSCOPE_LIVE_STREAMS=8.

    \b
    Example:
        emoscope live
        emoscope live --jobs jobs --keep 600
        emoscope live --host 0.0.0.0 --token-file clients.toml --tls-cert cert.pem --tls-key key.pem
    """
    try:
        from .live.access import read_clients
        from .live.app import Settings
        from .live.order import Limits
        from .live.serve import Address, serve
    except ModuleNotFoundError as error:
        raise missing_extra("the live page", error.name or "a package", "live") from None

    where = ("host", "port", "insecure", "tls_cert", "tls_key", "connections", "log")
    address = Address(**{name: options.pop(name) for name in where})
    settings = Settings(
        clients=read_clients(token_file) if token_file else (),
        origins=options.pop("allow_origin"),
        urls=options.pop("allow_url"),
        sessions=options.pop("streams"),
        upload_bytes=options.pop("upload_mib") << 20,
        analysis_s=options.pop("minutes") * 60,
        keep_s=options.pop("keep"),
        limits=Limits(memory=round(options.pop("memory_gib") * (1 << 30)), cpu_s=options.pop("cpu_seconds")),
        **options,
    )
    serve(address, settings, click.echo)


@contextmanager
def _progress(what: str, unit: str = "s") -> Iterator[Callable[[float, float | None], None]]:
    """A bar on a terminal, nothing in a pipe; yields the function to tell it how far things are."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[clock]}"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None, clock="")
        yield lambda done, total: bar.update(task, completed=done, total=total, clock=f"{done:.0f} {unit}")
