namespace AiWorkflows.Tests.Cli;

/// <summary>Wrong command lines: exit code 2, one or two lines on standard error that say what to do, nothing on standard output, nothing created.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData("rnu shop", "Unknown command 'rnu': did you mean run")]
    [InlineData("runs shwo 1", "Unknown command of runs 'shwo': did you mean show")]
    [InlineData("runs", "`runs` needs one of list, show, resume, cancel, logs.")]
    [InlineData("runs show", "`runs show` needs ID")]
    [InlineData("runs list --jsn", "Unknown option '--jsn': did you mean --json")]
    [InlineData("runs list extra", "`runs list` does not know what to do with 'extra'")]
    [InlineData("runs show abc", "'abc' is no id of a run; `runs list` shows them.")]
    [InlineData("runs list --limit 0", "--limit 0 is not allowed")]
    [InlineData("runs list --limit many", "--limit")]
    [InlineData("run", "`run` needs WORKFLOW")]
    [InlineData("run shpo", "Unknown workflow 'shpo': did you mean shop")]
    [InlineData("run shop --from 2024-01-01", "--from needs --to beside it")]
    [InlineData("run shop --from 2024-01-02 --to 2024-01-01", "swap --from and --to")]
    [InlineData("run shop --from 2024-01-01T06:00Z --to 2024-01-02", "--from 2024-01-01T00:00:00Z --to 2024-01-02T00:00:00Z")]
    [InlineData("run shop --from 2024-01-01T00:00 --to 2024-01-02", "--from 2024-01-01T00:00 is a local time, and nobody knows where; times are in UTC: write 2024-01-01T00:00Z")]
    [InlineData("run shop --from 2024-01-01T02:00+02:00 --to 2024-01-02", "--from 2024-01-01T02:00+02:00 has an offset; times are in UTC: write 2024-01-01T00:00:00Z")]
    [InlineData("run shop --from yesterday --to 2024-01-02", "--from 'yesterday' is no date or time; write 2001-06-01")]
    [InlineData("run shop --from 2024-02-30 --to 2024-03-01", "--from '2024-02-30' is no date or time")]
    [InlineData("run shop --monolith trian", "did you mean train")]
    [InlineData("backfill", "`backfill` needs WORKFLOW")]
    [InlineData("backfill shpo --from 2024-01-01 --to 2024-01-05 --every 1d", "did you mean shop")]
    [InlineData("backfill shop --from 2024-01-01 --to 2024-01-05", "`backfill` needs --from, --to and --every; --every is missing.")]
    [InlineData("backfill shop --from 2024-01-01 --to 2024-01-05 --every daily", "--every 'daily' is no length of time; write 1d, 6h or 30m.")]
    [InlineData("backfill shop --from 2024-01-01 --to 2024-01-05 --every 36h", "--every must be a multiple of one day, the cell of shop; 1.12:00:00 is not.")]
    [InlineData("backfill shop --from 2024-01-01T06:00Z --to 2024-01-05 --every 1d", "Nearest: --from 2024-01-01T00:00:00Z --to 2024-01-05T00:00:00Z")]
    [InlineData("backfill shop --from 2024-01-05 --to 2024-01-01 --every 1d", "swap --from and --to")]
    [InlineData("backfill shop --from 2024-01-05 --to 2024-03-01 --every 1d", "ends at 2024-02-10; a backfill covers what lies before that")]
    [InlineData("backfill shop --from 2024-01-01 --to 2024-01-05 --every 1d --parallel 0", "--parallel is 1 to 64; 0 is not.")]
    [InlineData("backfill shop --from 2024-01-01 --to 2024-01-05 --every 1d --parallel 2 --train", "leave out --parallel")]
    [InlineData("backfill shop --from 2024-01-01 --to 2024-01-05 --every 1d --model buy", "--model 'buy' names no version; write NAME=VERSION")]
    [InlineData("backfill shop --from 2024-01-01 --to 2024-01-05 --every 1d --model bye=1", "Unknown model of shop 'bye': did you mean buy")]
    [InlineData("backfill shop --from 2024-01-01 --to 2024-01-05 --every 1d --model buy=1", "Model buy has no version 1")]
    [InlineData("backfill shop --from 2024-01-01 --to 2024-01-05 --every 1d --model buy=1 --train", "leave one of them out")]
    [InlineData("backfill show 3", "There is no backfill 3: none was requested yet.")]
    [InlineData("backfill cancel x", "'x' is no id of a backfill; `backfill list` shows them.")]
    [InlineData("backfill retry 3", "There is no backfill 3")]
    [InlineData("workflows show shopp", "did you mean shop")]
    [InlineData("workflows pause shopp", "did you mean shop")]
    [InlineData("runs list --workflow shopp", "did you mean shop")]
    [InlineData("runs list --state broken", "Unknown state 'broken'")]
    [InlineData("runs show 7", "There is no run 7: none was requested yet.")]
    [InlineData("runs logs 7", "There is no run 7")]
    [InlineData("runs resume 7", "There is no run 7")]
    [InlineData("runs cancel 7", "There is no run 7")]
    [InlineData("features show visit", "Unknown feature group 'visit': did you mean visits")]
    [InlineData("features show visits", "Feature group visits holds nothing yet")]
    [InlineData("features stats nothing_like_it", "Unknown feature group 'nothing_like_it'")]
    [InlineData("features get bye visit_id=1", "Unknown feature view 'bye': did you mean buy")]
    [InlineData("features get buy visit=1", "Unknown key of buy 'visit': did you mean visit_id")]
    [InlineData("features get buy visit_id", "'visit_id' is no key of buy; write KEY=VALUE")]
    [InlineData("features get buy visit_id=1 visit_id=2", "Key visit_id is given twice.")]
    [InlineData("quarantine list purchase", "did you mean purchases")]
    [InlineData("features quarantine list purchase", "did you mean purchases")]
    [InlineData("models show bye", "Unknown model 'bye': did you mean buy")]
    [InlineData("models show buy", "Model buy has no version yet")]
    [InlineData("models promote buy 1", "Model buy has no version yet")]
    [InlineData("models rollback buyy", "did you mean buy")]
    [InlineData("models reproduce buyy 1", "did you mean buy")]
    [InlineData("predictions explain 5", "There is no prediction 5")]
    [InlineData("predictions list --model buyy", "did you mean buy")]
    [InlineData("predictions list --key [1", "is no JSON array")]
    [InlineData("sql", "`sql` needs QUERY")]
    public async Task It_says_what_was_wrong_and_what_was_probably_meant(string line, string message)
    {
        await using var host = new ShopHost();
        var result = await host.RunAsync(line.Split(' '));
        result.Code.ShouldBe(2, result.ToString());
        result.Out.ShouldBeEmpty();
        result.Error.ShouldContain(message);
        result.Error.TrimEnd().Split('\n').Length.ShouldBeLessThanOrEqualTo(2);
        result.Error.ShouldNotContain("   at ");
    }

    [Theory]
    [InlineData("models import buy file.onnx")]
    [InlineData("models export buy 1 file")]
    [InlineData("run shop --train")]
    public async Task What_a_later_version_has_is_refused_by_name(string line)
    {
        await using var host = new ShopHost();
        var result = await host.RunAsync(line.Split(' '));
        result.Code.ShouldBe(2, result.ToString());
        result.Out.ShouldBeEmpty();
        result.Error.ShouldContain("is not available in this version.");
    }

    [Theory]
    [InlineData("--help", "workflows")]
    [InlineData("run --help", "--hindsight")]
    [InlineData("features get --help", "--as-of")]
    public async Task Help_needs_no_database_and_no_valid_configuration(string line, string part)
    {
        await using var host = new ShopHost();
        host.Settings["AiWorkflows:Engine"] = "Oracle";
        var result = await host.RunAsync(line.Split(' '));
        result.Code.ShouldBe(0, result.ToString());
        result.Out.ShouldContain(part);
        result.Out.ShouldNotContain("not available");
        Directory.Exists(host.DataDirectory).ShouldBeFalse();
    }

    [Fact]
    public async Task The_version_is_printed()
    {
        await using var host = new ShopHost();
        var result = await host.RunAsync("--version");
        result.Code.ShouldBe(0);
        result.Out.Trim().ShouldMatch(@"^\d+\.\d+");
    }

    [Fact]
    public async Task A_wrong_setting_is_named()
    {
        await using var host = new ShopHost();
        host.Settings["AiWorkflows:DataDirectry"] = "elsewhere";
        var result = await host.RunAsync("runs", "list");
        result.Code.ShouldBe(2);
        result.Error.ShouldContain("DataDirectory");
    }

    [Fact]
    public async Task A_directory_that_cannot_be_written_is_named()
    {
        await using var host = new ShopHost();
        await File.WriteAllTextAsync(host.DataDirectory, "a file stands where the directory should be", TestContext.Current.CancellationToken);
        var result = await host.RunAsync("runs", "list");
        result.Code.ShouldBe(2, result.ToString());
        result.Error.ShouldContain(host.DataDirectory);
        result.Error.ShouldContain("AiWorkflows:DataDirectory");
    }
}
