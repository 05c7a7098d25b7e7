using AiWorkflows.Hosting.Cli;

namespace AiWorkflows.Tests.Cli;

public sealed class UtcTimeTests
{
    [Theory]
    [InlineData("2001-06-01", "2001-06-01T00:00:00Z")]
    [InlineData("2001-06-01T06:00Z", "2001-06-01T06:00:00Z")]
    [InlineData("2001-06-01 06:00Z", "2001-06-01T06:00:00Z")]
    [InlineData("2001-06-01T06:00:07Z", "2001-06-01T06:00:07Z")]
    [InlineData("2001-06-01T06:00:07.25Z", "2001-06-01T06:00:07.25Z")]
    public void A_date_or_a_time_with_Z_is_UTC(string text, string iso)
    {
        var time = UtcTime.Parse(text, "--from");
        time.Kind.ShouldBe(DateTimeKind.Utc);
        Timestamps.Iso(time).ShouldBe(iso);
    }

    [Theory]
    [InlineData("2001-06-01T06:00", "local time")]
    [InlineData("2001-06-01 06:00:00", "local time")]
    [InlineData("2001-06-01T06:00+02:00", "write 2001-06-01T04:00:00Z")]
    [InlineData("2001-06-01T06:00-0500", "write 2001-06-01T11:00:00Z")]
    [InlineData("2001-06-01T06:00+00:00", "write 2001-06-01T06:00:00Z")]
    [InlineData("01.06.2001", "is no date or time")]
    [InlineData("2001-6-1", "is no date or time")]
    [InlineData("", "is no date or time")]
    public void Anything_else_is_refused_with_what_to_write(string text, string message) =>
        Should.Throw<InvalidRequestException>(() => UtcTime.Parse(text, "--from")).Message.ShouldContain(message);
}
