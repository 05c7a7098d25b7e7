using System.Reflection;

namespace AiWorkflows.Workflows;

/// <summary>What a person reads about an exception: the messages from outside in, each once, without a stack trace.</summary>
internal static class ErrorText
{
    public static string Of(Exception exception)
    {
        var text = "";
        for (var e = exception; e is not null; e = e.InnerException)
        {
            if (e is TargetInvocationException or AggregateException { InnerExceptions.Count: 1 } && e.InnerException is not null)
                continue;
            // Messages of the runtime such as "Object reference not set" say little without the kind of the exception; those about files do.
            var message = e is AiWorkflowsException or IOException or UnauthorizedAccessException ? e.Message : $"{e.GetType().Name}: {e.Message}";
            if (text.Length == 0)
                text = message;
            else if (!text.Contains(e.Message, StringComparison.Ordinal))
                text += $" ({message})";
        }
        return text;
    }
}
