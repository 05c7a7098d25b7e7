using AiWorkflows.Hosting.Security;
using Microsoft.AspNetCore.Http;

namespace AiWorkflows.Tests.Hosting.Security;

public class HeaderTests
{
    [Theory]
    [InlineData("https", "ml.example.org", true)]
    [InlineData("http", "ml.example.org", false)]
    [InlineData("https", "localhost", false)]
    public async Task Over_https_browsers_are_told_to_use_nothing_else_under_that_name(string scheme, string host, bool told)
    {
        var context = new DefaultHttpContext();
        (context.Request.Scheme, context.Request.Host, context.Request.Path) = (scheme, new HostString(host), "/hangfire/runs");
        await new SecurityHeaders(_ => Task.CompletedTask).InvokeAsync(context);
        context.Response.Headers.StrictTransportSecurity.ToString().ShouldBe(told ? "max-age=31536000" : "");
    }

    [Fact]
    public async Task Addresses_of_the_program_are_left_alone()
    {
        var context = new DefaultHttpContext();
        context.Request.Path = "/report";
        await new SecurityHeaders(_ => Task.CompletedTask).InvokeAsync(context);
        context.Response.Headers.ShouldBeEmpty();
    }
}
