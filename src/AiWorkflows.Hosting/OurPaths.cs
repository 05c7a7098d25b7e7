using Microsoft.AspNetCore.Http;

namespace AiWorkflows.Hosting;

/// <summary>The addresses that are this library's; what else a host maps is its own affair.</summary>
internal static class OurPaths
{
    public const string Dashboard = "/hangfire";
    public const string Api = "/api";
    public const string OpenApi = "/openapi";
    public const string Health = "/health";
    public const string Login = "/login";
    public const string Logout = "/logout";

    private static readonly PathString[] All = [Dashboard, Api, OpenApi, Health, Login, Logout];

    public static bool Contains(PathString path) => path == "/" || All.Any(ours => path.StartsWithSegments(ours, StringComparison.OrdinalIgnoreCase));
}
