namespace AiWorkflows.Tests;

public class PlaceholderTests
{
    [Fact]
    public void Window_contains_its_start_and_not_its_end()
    {
        var window = new Window(new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc), new DateTime(2001, 1, 2, 0, 0, 0, DateTimeKind.Utc));
        window.Contains(window.From).ShouldBeTrue();
        window.Contains(window.To).ShouldBeFalse();
    }
}
