using System.Diagnostics;
using AiWorkflows.Hosting;

namespace AiWorkflows.Tests.Hosting;

public sealed class HostLockTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    private string Database => Path.Combine(_directory.FullName, "deep", "aiworkflows.db");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Only_one_holds_the_lock_and_the_next_gets_it_when_it_is_released()
    {
        using (HostLock.TryTake(Database).ShouldNotBeNull())
            HostLock.TryTake(Database).ShouldBeNull();

        using var next = HostLock.TryTake(Database).ShouldNotBeNull();
        File.Exists(Database + ".lock").ShouldBeTrue();
    }

    [Fact]
    public void Who_finds_the_lock_taken_learns_by_whom()
    {
        using var held = HostLock.TryTake(Database)!;
        HostLock.Holder(Database).ShouldBeNull();

        held.Note(new(4711, "serve", "http://localhost:5000", new(2001, 7, 2, 8, 0, 0, DateTimeKind.Utc)));

        HostLock.Holder(Database)!.ToString().ShouldBe("process 4711 (serve, http://localhost:5000, since 2001-07-02 08:00 UTC)");
    }

    [Fact]
    public void Releasing_takes_the_name_away_and_leaves_the_lock_file()
    {
        var held = HostLock.TryTake(Database)!;
        held.Note(new(1, "run", null, DateTime.UnixEpoch));

        held.Dispose();

        HostLock.Holder(Database).ShouldBeNull();
        File.Exists(Database + ".lock").ShouldBeTrue();
    }

    [Fact]
    public async Task A_lock_of_another_process_excludes_and_is_free_right_after_sigkill()
    {
        if (!OperatingSystem.IsLinux() || !File.Exists("/usr/bin/flock"))
            Assert.Skip("Needs flock(1) to be another process.");
        Directory.CreateDirectory(Path.GetDirectoryName(Database)!);
        using var other = Process.Start(new ProcessStartInfo("/usr/bin/flock", ["--no-fork", Database + ".lock", "sh", "-c", "echo held; exec sleep 600"]) { RedirectStandardOutput = true })!;
        (await other.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldBe("held");

        HostLock.TryTake(Database).ShouldBeNull();

        other.Kill();
        await other.WaitForExitAsync(TestContext.Current.CancellationToken);
        using var taken = HostLock.TryTake(Database).ShouldNotBeNull();
    }

    [Fact]
    public void A_directory_that_cannot_be_written_is_named()
    {
        var file = _directory.File("plain-file", "x");

        Should.Throw<InvalidRequestException>(() => HostLock.TryTake(Path.Combine(file, "aiworkflows.db"))).Message.ShouldContain("AiWorkflows:DataDirectory");
    }
}
