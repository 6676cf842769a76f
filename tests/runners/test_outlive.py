"""A batch outlives the death of a kernel, a worker, its conductor and the catalog."""

from __future__ import annotations

from outlive import facility_in
from processes import wait_until


def test_every_image_comes_once_whatever_is_killed(tmp_path, empty_database):
    (tmp_path / "catalog.sqlite").write_bytes(empty_database)
    with facility_in(tmp_path, f"sqlite:///{tmp_path}/catalog.sqlite") as facility:
        facility.hold.touch()
        batch = facility.submit(4)

        def busy(workers=2):
            """Wait until so many notebooks are in their waiting cell."""
            there = [r for r in facility.runs(batch) if r.progress.get("cell", 0) >= 2]
            running = [r for r in there if r.state == "running"]
            return len(running) >= workers and len(facility.kernels()) >= workers

        wait_until(busy, 240, "two notebooks execute")
        struck = {facility.kill("kernel")}

        def failed():
            return [run for run in facility.runs(batch) if run.state == "failed"]

        wait_until(failed, 240, "the kernel's run has ended")
        wait_until(busy, 240, "two notebooks execute")
        again = facility.kill("worker")

        def of(uid):
            (run,) = [run for run in facility.runs(batch) if run.uid == uid]
            return run

        wait_until(lambda: of(again).attempt == 2, 240, "it is taken again by the same cluster")
        wait_until(busy, 240, "two notebooks execute")
        kernels = facility.kernels()
        attempts = [of(uid).attempt for uid in kernels]
        driver = of(next(iter(kernels))).lease_by
        facility.kill("conductor")
        wait_until(
            lambda: all(of(uid).lease_by not in (None, driver) for uid in kernels),
            240,
            "another conductor drives what runs",
        )
        assert facility.kernels() == kernels
        facility.kill("catalog")
        facility.hold.unlink()
        wait_until(lambda: facility.ended(batch), 240, "the batch ends")
        assert facility.wrong(batch, struck) == []
        assert [of(uid).attempt for uid in kernels] == attempts
        assert of(again).attempt == 2
        states = [run.state for run in facility.runs(batch)]
        assert sorted(states) == ["done", "done", "done", "failed"]
        (dead,) = failed()
        # the parameters are the first two cells: defaults and what was given
        assert (dead.error["error"], dead.error["cell"]) == ("KernelDied", 3)
