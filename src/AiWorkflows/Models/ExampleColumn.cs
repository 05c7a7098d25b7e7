namespace AiWorkflows.Models;

/// <summary>The three shapes in which ML.NET sees a property of an example.</summary>
internal enum ExampleColumnKind { Number, Text, Vector }

/// <summary>One model input.</summary>
/// <param name="Name">Name of the property, of the ML.NET column and of the dataset's column.</param>
/// <param name="Type">The property's C# type as a programmer writes it.</param>
/// <param name="Length">Elements of a vector; 0 otherwise.</param>
internal sealed record ExampleColumn(string Name, ExampleColumnKind Kind, string Type, bool IsNullable, int Length)
{
    /// <summary>The type as signatures and dataset hashes name it.</summary>
    public string DataType => Kind switch
    {
        ExampleColumnKind.Number => "single",
        ExampleColumnKind.Text => "text",
        _ => $"vector<single,{Length}>",
    };
}
