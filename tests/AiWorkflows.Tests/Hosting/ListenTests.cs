using System.Net;
using AiWorkflows.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace AiWorkflows.Tests.Hosting;

public class ListenTests
{
    [Theory]
    [InlineData("http://localhost:5000", true)]
    [InlineData("http://127.0.0.1:0", true)]
    [InlineData("https://[::1]:5001", true)]
    [InlineData("http://unix:/tmp/x.sock", true)]
    [InlineData("http://*:80", false)]
    [InlineData("http://+:80", false)]
    [InlineData("http://0.0.0.0:5000", false)]
    [InlineData("http://[::]:5000", false)]
    [InlineData("http://example.org", false)]
    [InlineData("http://localhost.example.org", false)]
    public void Only_loopback_is_loopback(string url, bool loopback) => ListenAddresses.IsLoopback(url).ShouldBe(loopback);

    [Theory]
    [InlineData("urls", "http://0.0.0.0:5000")]
    [InlineData("urls", "http://localhost:5000;http://*:80")]
    [InlineData("http_ports", "8080")]
    [InlineData("Kestrel:Endpoints:Web:Url", "http://*:5000")]
    public async Task Whatever_opens_the_host_to_the_network_is_seen(string key, string value)
    {
        await using var app = App((key, value));
        ListenAddresses.Apply(app, new());

        ListenAddresses.Exposed(app).ShouldNotBeNull();
    }

    [Fact]
    public async Task The_option_holds_where_nothing_else_is_given()
    {
        await using var app = App();

        ListenAddresses.Apply(app, new() { Urls = "http://localhost:6001;http://127.0.0.1:6002" });

        app.Urls.ShouldBe(["http://localhost:6001", "http://127.0.0.1:6002"]);
        ListenAddresses.Exposed(app).ShouldBeNull();
    }

    [Fact]
    public async Task The_frameworks_own_setting_wins_over_the_option()
    {
        await using var app = App(("urls", "http://localhost:7000"));

        ListenAddresses.Apply(app, new());

        app.Urls.ShouldBeEmpty();
        ListenAddresses.Exposed(app).ShouldBeNull();
    }

    [Theory]
    [InlineData("127.0.0.1", "localhost:5000", "POST", "http://localhost:5000", null)]
    [InlineData("::1", "localhost:5000", "POST", null, null)]
    [InlineData("::ffff:127.0.0.1", "127.0.0.1:5000", "GET", null, null)]
    [InlineData("127.0.0.1", "localhost:5000", "GET", "https://evil.example", null)]
    [InlineData("127.0.0.1", "localhost:5000", "POST", "https://evil.example", "Another site")]
    [InlineData("127.0.0.1", "localhost:5000", "POST", "http://localhost:5001", "Another site")]
    [InlineData("127.0.0.1", "localhost:5000", "POST", "null", "Another site")]
    [InlineData("127.0.0.1", "rebound.example:5000", "GET", null, "Connect as localhost")]
    [InlineData("10.0.0.7", "localhost:5000", "GET", null, "Only this machine")]
    public void Strangers_and_other_sites_are_kept_out(string remote, string host, string method, string? origin, string? refused)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse(remote);
        context.Request.Host = new HostString(host);
        context.Request.Method = method;
        if (origin is not null)
            context.Request.Headers.Origin = origin;

        var reason = LoopbackGuard.WhyRefused(context);

        if (refused is null)
            reason.ShouldBeNull();
        else
            reason.ShouldNotBeNull().ShouldContain(refused);
    }

    private static WebApplication App(params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value)));
        return builder.Build();
    }
}
